// The input current: a base and pieces {kind, start, stop, size, strict} that are added to it while they are on. A
// "pulse" adds size (mV/ms, 2007 form pA), a "ramp" size (per ms) times the time since its start. It is on for
// start <= t < stop; strict: for start < t < stop, as in figure1.m of 2004. Times in ms, stop may be Infinity.

// A number of steps, rounded if it misses a whole number by a thousandth or less, as izhnumba does.
function snapped(x) {
  const nearest = Math.round(x);
  return Math.abs(x - nearest) <= 1e-3 ? nearest : x;
}

// The steps k between which a piece is on.
function stepsOn(piece, dt) {
  let first = snapped(piece.start / dt);
  first = piece.strict ? Math.floor(first) + 1 : Math.ceil(first);
  return [Math.max(first, 0), Math.ceil(snapped(piece.stop / dt))];
}

// The current of each step, evaluated where the step begins.
function stepCurrents(stimulus, dt, steps) {
  const I = new Float64Array(steps).fill(stimulus.base);
  for (const piece of stimulus.pieces) {
    const [first, end] = stepsOn(piece, dt),
      last = Math.min(end, steps);
    if (piece.kind === "pulse") for (let k = first; k < last; k++) I[k] += piece.size;
    else for (let k = first; k < last; k++) I[k] += piece.size * (k * dt - piece.start);
  }
  return I;
}

// The current in continuous time as straight lines: [{start, stop, level, slope}], in order, from 0 to T.
function lines(stimulus, T) {
  const edges = new Set([0, T]);
  for (const { start, stop } of stimulus.pieces) for (const t of [start, stop]) if (t > 0 && t < T) edges.add(t);
  const times = [...edges].sort((a, b) => a - b);
  return times.slice(0, -1).map((start, i) => {
    let level = stimulus.base,
      slope = 0;
    for (const piece of stimulus.pieces) {
      if (!(piece.start <= start && start < piece.stop)) continue;
      level += piece.kind === "pulse" ? piece.size : piece.size * (start - piece.start);
      slope += piece.kind === "pulse" ? 0 : piece.size;
    }
    return { start, stop: times[i + 1], level, slope };
  });
}

// The current at time t.
function currentAt(stimulus, t) {
  const found = lines(stimulus, Math.max(t * 2, 1))
    .filter((line) => line.start <= t)
    .pop();
  return found.level + found.slope * (t - found.start);
}

// What the menu offers in place of a published stimulus; I: a current that makes the neuron fire, T: ms.
function template(kind, I, T) {
  const piece = (kind, start, stop, size) => ({ kind, start, stop, size, strict: false });
  const tenth = Math.round(T / 10);
  return {
    constant: { base: I, pieces: [] },
    step: { base: 0, pieces: [piece("pulse", tenth, Infinity, I)] },
    ramp: { base: 0, pieces: [piece("ramp", tenth, Infinity, Number(((2 * I) / T).toPrecision(2)))] },
    pulses: { base: 0, pieces: [1, 4, 7].map((k) => piece("pulse", k * tenth, (k + 1) * tenth, I)) },
  }[kind];
}

// Which entry of the menu a stimulus is.
function kindOf(stimulus) {
  const kinds = stimulus.pieces.map((piece) => piece.kind);
  if (!kinds.length) return "constant";
  if (kinds.length === 1 && stimulus.pieces[0].stop === Infinity) return kinds[0] === "pulse" ? "step" : "ramp";
  return kinds.every((kind) => kind === "ramp") ? "ramp" : "pulses";
}
