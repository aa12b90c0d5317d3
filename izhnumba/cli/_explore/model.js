// Models and schemes, as in izhnumba/_model: the same operations in the same order, in double precision.
// These functions are C++ as well, but for the types: "copy as C++" shows their text (code.js). So they hold plain
// arithmetic, read p and write n alone, and call the equations as m.name. n: V (mV) and u; p: parameters.

// --- equations: dt_f is dt times V', dt_slope dt times its derivative by V, a times du is u' ------------------------

function dt_f_2003(dt, V, u, I, p) {
  return dt * (p.k2 * V * V + p.k1 * V + p.k0 - u + I);
}

function dt_f_2003_horner(dt, V, u, I, p) {
  return dt * ((p.k2 * V + p.k1) * V + p.k0 - u + I);
}

function dt_slope_2003(dt, V, p) {
  return dt * ((p.k2 + p.k2) * V + p.k1);
}

function du_2003(V, V_new, u, p) {
  return p.b * V - u;
}

function du_accommodation(V, V_new, u, p) {
  return p.b * (V - p.V_b);
}

function threshold_2003(u, p) {
  return p.V_th;
}

function V_reset_2003(u, p) {
  return p.c;
}

function u_reset_2003(u, p) {
  return u + p.d;
}

function dt_f_2007(dt, V, u, I, p) {
  return (dt * (p.k * (V - p.vr) * (V - p.vt) - u + I)) / p.C;
}

function dt_slope_2007(dt, V, p) {
  return dt * ((p.k * (V - p.vr) + p.k * (V - p.vt)) / p.C);
}

function du_2007(V, V_new, u, p) {
  const b = V_new > p.V_b ? p.b : p.b_low;
  const w = V - p.V_cubic;
  const cubic = V_new >= p.V_cubic ? p.cubic : 0.0;
  return b * (V - p.vr) + cubic * (w * w * w) - u;
}

function threshold_2007(u, p) {
  return p.vpeak + p.vpeak_u * u;
}

function V_reset_2007(u, p) {
  return p.c + p.c_u * u;
}

function u_reset_2007(u, p) {
  return u + p.d < p.u_max ? u + p.d : p.u_max;
}

const of2003 = {
  dt_f: dt_f_2003,
  dt_f_horner: dt_f_2003_horner,
  dt_slope: dt_slope_2003,
  du: du_2003,
  threshold: threshold_2003,
  V_reset: V_reset_2003,
  u_reset: u_reset_2003,
  leaks: true,
  divisor: () => 1,
};
const EQUATIONS = {
  Izhikevich: of2003,
  IzhikevichAccommodation: { ...of2003, du: du_accommodation, leaks: false },
  Izhikevich2007: {
    dt_f: dt_f_2007,
    dt_f_horner: dt_f_2007,
    dt_slope: dt_slope_2007,
    du: du_2007,
    threshold: threshold_2007,
    V_reset: V_reset_2007,
    u_reset: u_reset_2007,
    leaks: true,
    divisor: (p) => p.C,
  },
};

// --- rules: V and u of n at the start of a step become those at its end, before the spike test ----------------------

function exprel(z) {
  return Math.abs(z) > 1e-290 ? Math.expm1(z) / z : 1.0;
}

function exp_euler(n, I, p, dt, gain, m) {
  n.V = n.V + m.dt_f(dt * m.exprel(m.dt_slope(dt, n.V, p)), n.V, n.u, I, p);
  n.u = n.u + gain * m.du(n.V, n.V, n.u, p);
}

function euler(n, I, p, dt, gain, m) {
  const V = n.V;
  n.V = V + m.dt_f(dt, V, n.u, I, p);
  n.u = n.u + dt * p.a * m.du(V, n.V, n.u, p);
}

function euler_then_u(n, I, p, dt, gain, m) {
  n.V = n.V + m.dt_f(dt, n.V, n.u, I, p);
  n.u = n.u + dt * p.a * m.du(n.V, n.V, n.u, p);
}

function two_half_steps(n, I, p, dt, gain, m) {
  n.V = n.V + m.dt_f(0.5 * dt, n.V, n.u, I, p);
  n.V = n.V + m.dt_f(0.5 * dt, n.V, n.u, I, p);
  n.u = n.u + dt * p.a * m.du(n.V, n.V, n.u, p);
}

function midpoint(n, I, p, dt, gain, m) {
  const r = dt * p.a;
  const V = n.V + 0.5 * m.dt_f(dt, n.V, n.u, I, p),
    u = n.u + 0.5 * (r * m.du(n.V, n.V, n.u, p));
  n.V = n.V + m.dt_f(dt, V, u, I, p);
  n.u = n.u + r * m.du(V, V, u, p);
}

function heun(n, I, p, dt, gain, m) {
  const r = dt * p.a;
  const V1 = m.dt_f(dt, n.V, n.u, I, p),
    u1 = r * m.du(n.V, n.V, n.u, p);
  const V = n.V + V1,
    u = n.u + u1;
  const V2 = m.dt_f(dt, V, u, I, p),
    u2 = r * m.du(V, V, u, p);
  n.V = n.V + 0.5 * (V1 + V2);
  n.u = n.u + 0.5 * (u1 + u2);
}

function rk4(n, I, p, dt, gain, m) {
  const r = dt * p.a,
    third = 1.0 / 3.0;
  const V1 = m.dt_f(dt, n.V, n.u, I, p),
    u1 = r * m.du(n.V, n.V, n.u, p);
  const Va = n.V + 0.5 * V1,
    ua = n.u + 0.5 * u1;
  const V2 = m.dt_f(dt, Va, ua, I, p),
    u2 = r * m.du(Va, Va, ua, p);
  const Vb = n.V + 0.5 * V2,
    ub = n.u + 0.5 * u2;
  const V3 = m.dt_f(dt, Vb, ub, I, p),
    u3 = r * m.du(Vb, Vb, ub, p);
  const Vc = n.V + V3,
    uc = n.u + u3;
  const V4 = m.dt_f(dt, Vc, uc, I, p),
    u4 = r * m.du(Vc, Vc, uc, p);
  n.V = n.V + third * (0.5 * (V1 + V4) + V2 + V3);
  n.u = n.u + third * (0.5 * (u1 + u4) + u2 + u3);
}

const RULES = {
  exp_euler,
  euler,
  izhikevich2003: two_half_steps,
  izhikevich2004: euler_then_u,
  nest: euler,
  nest_published: two_half_steps,
  midpoint,
  heun,
  rk4,
};

// The equations that a scheme calls, by the names that rules know.
function equationsOf(model, scheme) {
  const own = EQUATIONS[model];
  return { ...own, dt_f: DATA.schemes[scheme].horner ? own.dt_f_horner : own.dt_f, exprel };
}

// dt a exprel(-dt a), what exponential Euler multiplies du by; dt a where u does not leak.
function gainOf(model, p, dt) {
  return dt * p.a * (EQUATIONS[model].leaks ? exprel(dt * -p.a) : 1.0);
}

// Run the neuron of `s` (state.js) by its scheme. V and u after each step and I of it, Float64Array; the steps of
// spikes; and the step in which V or u is no number any more, or -1.
function simulate(s) {
  const scheme = DATA.schemes[s.scheme],
    m = equationsOf(s.model, s.scheme),
    rule = RULES[s.scheme];
  const { p, dt } = s,
    gain = gainOf(s.model, p, dt),
    steps = stepsOf(s.T, dt);
  const I = stepCurrents(s.stimulus, dt, steps),
    V = new Float64Array(steps),
    u = new Float64Array(steps);
  const n = { V: s.V, u: s.u },
    spikes = [];
  for (let k = 0; k < steps; k++) {
    if (scheme.reset_first && n.V >= m.threshold(n.u, p)) reset(n, m, p);
    rule(n, I[k], p, dt, gain, m);
    const V_th = m.threshold(n.u, p);
    if (!(Math.abs(n.V) + Math.abs(n.u) < Infinity)) return { V, u, I, spikes, steps: k, failed: k };
    V[k] = n.V;
    u[k] = n.u;
    if (scheme.strict_test ? n.V > V_th : n.V >= V_th) {
      spikes.push(k);
      if (!scheme.reset_first) reset(n, m, p);
      V[k] = V_th; // what is drawn: the peak, not where the step or the reset led
    }
  }
  return { V, u, I, spikes, steps, failed: -1 };
}

function reset(n, m, p) {
  const V = m.V_reset(n.u, p);
  n.u = m.u_reset(n.u, p);
  n.V = V;
}

// Whole steps of dt in T, both in ms.
function stepsOf(T, dt) {
  return Math.round(T / dt);
}
