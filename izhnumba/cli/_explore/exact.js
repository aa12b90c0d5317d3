// The solution in continuous time, by Taylor series from event to event (Parker-Sochacki): the right-hand sides are
// polynomials between the times at which the current bends and the V at which a rule of 2007 sets in, so that each
// coefficient follows from those before it by sums and products. Spikes are roots of such a polynomial.

const ORDER = 20;
const REST = 1e-13; // mV, the size of the last terms of a series
const MOST_STEPS = 200000;
const FLUTTER = 0.02; // ms between crossings of V_b, from which on V stays there
const CROWD = 50; // spikes within a ms from which on the equations are said to run away
const v = new Float64Array(ORDER + 1),
  w = new Float64Array(ORDER + 1); // series of V and u
const square = new Float64Array(ORDER + 1); // of (V - V_cubic)^2

// Coefficients of V' = k2 V^2 + k1 V + k0 + kI I + ku u and u' = ua V + ub u + uc + u3 (V - V_cubic)^3, where V is
// above V_b (high) or not, and at V_cubic or above (cubic) or not.
function coefficientsOf(model, p, high, cubic) {
  if (model === "Izhikevich2007") {
    const b = high ? p.b : p.b_low;
    return {
      k2: p.k / p.C,
      k1: (-p.k * (p.vr + p.vt)) / p.C,
      k0: (p.k * p.vr * p.vt) / p.C,
      kI: 1 / p.C,
      ku: -1 / p.C,
      ua: p.a * b,
      ub: -p.a,
      uc: -p.a * b * p.vr,
      u3: cubic ? p.a * p.cubic : 0,
      V3: p.V_cubic,
    };
  }
  const still = model === "IzhikevichAccommodation";
  return {
    k2: p.k2,
    k1: p.k1,
    k0: p.k0,
    kI: 1,
    ku: -1,
    ua: p.a * p.b,
    ub: still ? 0 : -p.a,
    uc: still ? -p.a * p.b * p.V_b : 0,
    u3: 0,
    V3: 0,
  };
}

// The series of V and u around a state, into v and w.
function expand(V, u, level, slope, k) {
  v[0] = V;
  w[0] = u;
  for (let i = 0; i < ORDER; i++) {
    let VV = 0,
      cube = 0;
    for (let j = 0; 2 * j < i; j++) VV += v[j] * v[i - j];
    VV += VV;
    if (i % 2 === 0) VV += v[i / 2] * v[i / 2];
    if (k.u3) {
      const at = (j) => (j === 0 ? v[0] - k.V3 : v[j]);
      square[i] = VV - 2 * k.V3 * v[i] + (i === 0 ? k.V3 * k.V3 : 0);
      for (let j = 0; j <= i; j++) cube += square[j] * at(i - j);
    }
    const I = i === 0 ? k.k0 + k.kI * level : i === 1 ? k.kI * slope : 0;
    v[i + 1] = (k.k2 * VV + k.k1 * v[i] + k.ku * w[i] + I) / (i + 1);
    w[i + 1] = (k.ua * v[i] + k.ub * w[i] + k.u3 * cube + (i === 0 ? k.uc : 0)) / (i + 1);
  }
}

// The sum of a series at h.
function at(series, h) {
  let sum = series[ORDER];
  for (let i = ORDER - 1; i >= 0; i--) sum = sum * h + series[i];
  return sum;
}

// The longest step at which the last two terms of the series of V and u stay below REST.
function stepLength() {
  let h = 50;
  for (const i of [ORDER - 1, ORDER]) {
    const size = Math.max(Math.abs(v[i]), Math.abs(w[i]) * 1e-2, 1e-300);
    h = Math.min(h, Math.exp(Math.log(REST / size) / i));
  }
  return h;
}

// Where a function changes sign in (0, h], by bisection to neighbouring numbers after secant steps.
function root(f, h, below) {
  let low = 0,
    high = h,
    f_low = f(0),
    f_high = f(h);
  for (let i = 0; i < 100 && high - low > 1e-15 * h; i++) {
    const secant = low + (high - low) * (f_low / (f_low - f_high));
    const middle = i % 2 === 0 && secant > low && secant < high ? secant : (low + high) / 2;
    const value = f(middle);
    if (value < 0 === below) [low, f_low] = [middle, value];
    else [high, f_high] = [middle, value];
  }
  return high;
}

// Solve the neuron of `s` (state.js) from 0 to s.T. every: ms between points to draw, or Infinity for none.
// Spike times (ms); points t, V, u; `stopped`, the time from which on there is no solution, or null; `crowded`, whether
// that is because of spikes without end.
function solve(s, every = s.T / 1500) {
  const { p } = s,
    m = EQUATIONS[s.model],
    spikes = [],
    t_points = [],
    V_points = [],
    u_points = [];
  const rules = s.model === "Izhikevich2007";
  const at_b = rules && p.V_b > -Infinity && p.b !== p.b_low,
    at_cubic = rules && p.cubic !== 0;
  const drawn = every < Infinity;
  const point = (t, V, u) => {
    if (!drawn) return;
    t_points.push(t);
    V_points.push(V);
    u_points.push(u);
  };
  const above = (h) => at(v, h) - m.threshold(at(w, h), p);
  let V = s.V,
    u = s.u,
    t = 0,
    high = V > p.V_b,
    cubic = V >= p.V_cubic,
    steps = 0,
    flutter = 0, // how often V has just gone from one side of V_b to the other
    stopped = null,
    crowded = false;
  const finish = () => ({ spikes, t: t_points, V: V_points, u: u_points, stopped, crowded });
  const spike = () => {
    spikes.push(t);
    point(t, m.threshold(u, p), u);
    V = m.V_reset(u, p);
    u = m.u_reset(u, p);
    [high, cubic] = [V > p.V_b, V >= p.V_cubic];
    point(t, V, u);
    const before = spikes[spikes.length - CROWD];
    crowded = V >= m.threshold(u, p) || before > t - 1;
    return !crowded;
  };
  point(0, V, u);
  if (V >= m.threshold(u, p) && !spike()) stopped = 0;
  for (const line of lines(s.stimulus, s.T)) {
    t = line.start;
    while (t < line.stop && stopped === null) {
      const k = coefficientsOf(s.model, p, rules ? high : true, at_cubic && cubic);
      expand(V, u, line.level + line.slope * (t - line.start), line.slope, k);
      const full = stepLength(),
        last = t + full >= line.stop;
      let h = last ? line.stop - t : full,
        spiked = false,
        crossed = null;
      if (flutter > 20) {
        // u is driven back from either side of V_b, to where V rests: around that point there is no end of crossings
        [flutter, h] = [0, line.slope ? Math.min(5, line.stop - t) : line.stop - t];
        [t, V, u] = [t + h, p.V_b, u + line.slope * h];
        point(t, V, u);
        continue;
      }
      if (!(h >= 0) || ++steps > MOST_STEPS || t + full === t) {
        stopped = t;
        break;
      }
      if (above(h) >= 0 || above(h / 2) >= 0) {
        h = root(above, above(h / 2) >= 0 ? h / 2 : h, true);
        spiked = true;
      }
      for (const [active, V_rule, side, strict] of [
        [at_b, p.V_b, high, true],
        [at_cubic, p.V_cubic, cubic, false],
      ]) {
        const V_end = at(v, h);
        if (!active || (strict ? V_end > V_rule : V_end >= V_rule) === side) continue;
        h = root((x) => at(v, x) - V_rule, h, !side);
        [spiked, crossed] = [false, strict];
      }
      for (let j = 1, n = drawn ? Math.ceil(h / every) : 0; j < n; j++)
        point(t + (j / n) * h, at(v, (j / n) * h), at(w, (j / n) * h));
      [V, u] = [at(v, h), at(w, h)];
      t = last && !spiked && crossed === null ? line.stop : t + h;
      flutter = crossed === true && h < FLUTTER ? flutter + 1 : 0;
      if (crossed === true) [V, high] = [p.V_b, !high];
      if (crossed === false) [V, cubic] = [p.V_cubic, !cubic];
      if (spiked && t <= s.T) {
        if (!spike()) stopped = t;
      } else point(t, V, u);
    }
    if (stopped !== null) break;
  }
  return finish();
}
