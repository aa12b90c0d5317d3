// The phase plane at a constant current: nullclines, fixed points and their kinds, and the currents at which these
// change. V' is linear in u, so u on the V nullcline is V' at u = 0; all else is found by search and bisection.

// Functions of V at the current I: C V' at u = 0, which is u on the V nullcline, and u on the u nullcline (NaN where
// that stands upright).
function nullclines(s, I) {
  const m = EQUATIONS[s.model],
    C = m.divisor(s.p);
  return {
    V: (V) => C * m.dt_f(1, V, 0, I, s.p),
    u: (V) => (m.leaks ? m.du(V, V, 0, s.p) : NaN),
  };
}

// V' and u' in 1/ms, times mV and the unit of u.
function derivatives(s, V, u, I) {
  const m = EQUATIONS[s.model];
  return [m.dt_f(1, V, u, I, s.p), s.p.a * m.du(V, V, u, s.p)];
}

// Trace and determinant of the Jacobian at V: no entry depends on u or I.
function jacobian(s, V) {
  const m = EQUATIONS[s.model],
    h = 1e-3,
    { p } = s;
  const VV = m.dt_slope(1, V, p),
    Vu = -1 / m.divisor(p);
  const uV = (p.a * (m.du(V + h, V + h, 0, p) - m.du(V - h, V - h, 0, p))) / (2 * h),
    uu = m.leaks ? -p.a : 0;
  return { trace: VV + uu, det: VV * uu - Vu * uV };
}

// Zeros of f between low and high, ascending, by bisection; leaps over zero are no zeros.
function zeros(f, low, high, n = 1000) {
  const found = [],
    step = (high - low) / n;
  for (let i = 0, left = f(low); i < n; i++) {
    const x = low + i * step,
      right = f(x + step);
    if (left < 0 !== right < 0) {
      let a = x,
        b = x + step;
      for (let j = 0; j < 60; j++) {
        const middle = (a + b) / 2;
        if (f(middle) < 0 === left < 0) a = middle;
        else b = middle;
      }
      if (Math.abs(f(b)) <= 1e-6 * Math.abs(right - left)) found.push(b);
    }
    left = right;
  }
  return found;
}

// The fixed points at the current I, in order of V: [{V, u, kind, stable}].
function fixedPoints(s, I, low = -120, high = 60) {
  const m = EQUATIONS[s.model],
    on = nullclines(s, I);
  return zeros((V) => m.du(V, V, on.V(V), s.p), low, high).map((V) => {
    const { trace, det } = jacobian(s, V),
      stable = trace < 0 && det > 0;
    const kind = det < 0 ? "saddle" : `${stable ? "stable" : "unstable"} ${trace * trace < 4 * det ? "focus" : "node"}`;
    return { V, u: on.V(V), kind, stable };
  });
}

// The currents of saddle-node bifurcations (two fixed points merge: det 0) and of Hopf bifurcations (one changes its
// stability and goes on to exist: trace 0, det > 0).
function bifurcations(s, low = -120, high = 60) {
  const m = EQUATIONS[s.model],
    on = nullclines(s, 0),
    C = m.divisor(s.p);
  if (!m.leaks) return { saddleNode: [], hopf: [] }; // one fixed point at V_b, whatever the current
  const current = (V) => on.u(V) - on.V(V);
  return {
    saddleNode: zeros((V) => jacobian(s, V).det * C, low, high).map(current),
    hopf: zeros((V) => jacobian(s, V).trace, low, high)
      .filter((V) => jacobian(s, V).det > 0)
      .map(current),
  };
}

// --- f-I curve ---------------------------------------------------------------------------------------------------

// Currents of the curve: from below the first to above the last current that matters.
function fiCurrents(s, n = 41) {
  const { saddleNode, hopf } = bifurcations(s),
    { base, pieces } = s.stimulus;
  const used = pieces.map(
    (piece) => base + (piece.kind === "pulse" ? piece.size : piece.size * (Math.min(piece.stop, s.T) - piece.start)),
  );
  const all = [...saddleNode, ...hopf, base, ...used].filter(Number.isFinite);
  let low = Math.min(...all),
    high = Math.max(...all);
  const least = s.model === "Izhikevich2007" ? 50 : 2;
  high += Math.max(0.75 * (high - low), least);
  low -= Math.max(0.15 * (high - low), 0.2 * least);
  return Array.from({ length: n }, (_, i) => low + ((high - low) * i) / (n - 1));
}

// The neuron as it rests without current, or as it starts where nothing is stable, driven by I for T ms.
function drivenBy(s, I, T) {
  const rest = fixedPoints(s, 0).filter((point) => point.stable);
  rest.sort((one, other) => Math.abs(one.V - s.V) - Math.abs(other.V - s.V));
  const { V, u } = rest[0] ?? s;
  return { ...s, V, u, T, stimulus: { base: I, pieces: [] } };
}

// Steady rate in Hz: that of the intervals in the second half of T ms; null where there is no solution.
function rateOf(times, T, failed) {
  if (failed) return null;
  const late = times.filter((t) => t >= T / 2);
  return late.length > 1 ? (1000 * (late.length - 1)) / (late[late.length - 1] - late[0]) : 0;
}

// Currents between which the neuron begins to go on firing in continuous time; null where it fires at none of the curve.
// From its first on, for those next to the onset may fire too slowly for the curve.
function onsetIn(curve) {
  const fires = curve.find((one) => one.exact > 0);
  return fires ? [curve[0].I, fires.I] : null;
}

// Half of this interval, or null where it is short enough. T is long, for at its onset firing may be slow.
function onsetCloser(s, [silent, firing], T = 20_000) {
  if (firing - silent <= 2e-5 * Math.max(Math.abs(firing), 0.01)) return null;
  const middle = (silent + firing) / 2,
    { spikes, stopped } = solve(drivenBy(s, middle, T), Infinity);
  return rateOf(spikes, T, stopped !== null) > 0 ? [silent, middle] : [middle, firing];
}

// Rates at the current I in continuous time and by the scheme.
function ratesAt(s, I, T = 1000) {
  const driven = drivenBy(s, I, T),
    exact = solve(driven, Infinity),
    run = simulate(driven);
  return {
    I,
    exact: rateOf(exact.spikes, T, exact.stopped !== null),
    scheme: rateOf(
      run.spikes.map((k) => (k + 1) * s.dt),
      T,
      run.failed >= 0,
    ),
  };
}
