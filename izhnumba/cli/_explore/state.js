// What the page shows, as one object, and as the part of the URL behind "#".
//
// {preset, model, scheme, dt, T, V, u, p, stimulus, net, at}: V, u at the start, p the parameters by name, T the
// model time (ms), net as in network.js, at the time (ms) that the phase plane shows. The URL names the preset and what
// differs from it.

const NETWORK = { cells: 200, seed: 1, excitation: 1, inhibition: 1, noise: 1 };
const MOST_STEPS_OF_RUN = 1000000;

function clone(object) {
  return structuredClone(object);
}

// The state of a preset, as published.
function stateOf(preset) {
  const { model, scheme, dt, T, V, u, p, stimulus } = DATA.presets[preset];
  return clone({ preset, model, scheme, dt, T, V, u, p, stimulus, net: NETWORK, at: T });
}

// The limits of each number: {unit, above, at_least, at_most, infinite, whole}, for reading and for words of errors.
function limitsOf(s, name) {
  const { parameters, I, u } = DATA.models[s.model];
  if (name in parameters) {
    const { unit, above } = parameters[name];
    return { unit, above, infinite: !Number.isFinite(parameters[name].default) };
  }
  return {
    V: { unit: "mV" },
    u: { unit: u },
    base: { unit: I },
    size: { unit: I },
    slope: { unit: I === "pA" ? "pA/ms" : "mV/ms²" },
    start: { unit: "ms" },
    stop: { unit: "ms", infinite: true },
    T: { unit: "ms", at_least: s.dt, at_most: 10000, most: MOST_STEPS_OF_RUN * s.dt },
    dt: { unit: "ms", at_least: 0.001, at_most: 10 },
    at: { unit: "ms", at_least: 0, at_most: s.T },
    cells: { at_least: 5, at_most: 400, whole: true },
    seed: { at_least: 0, at_most: 999999, whole: true },
    excitation: { at_least: 0, at_most: 100 },
    inhibition: { at_least: 0, at_most: 100 },
    noise: { at_least: 0, at_most: 100 },
  }[name];
}

// Read a number: {value}, or {problem} in words.
function readNumber(text, limits) {
  const clean = text.trim().replace("−", "-"),
    unit = limits.unit ? ` ${limits.unit}` : "";
  const got = `, got ${clean === "" ? "nothing" : clean.length > 20 ? `${clean.slice(0, 20)}…` : clean}`;
  const infinite = /^[+-]?(inf|infinity|∞)$/i.exec(clean);
  if (infinite && limits.infinite) return { value: clean.startsWith("-") ? -Infinity : Infinity };
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(clean)) {
    const comma = /^[+-]?\d*,\d+$/.test(clean) ? " Write a point, not a comma." : "";
    return {
      problem: `Must be a number such as ${limits.whole ? 100 : 0.5}${infinite ? ", not infinite" : ""}${got}.${comma}`,
    };
  }
  const value = Number(clean),
    { above, at_least, at_most, whole } = limits;
  if (!Number.isFinite(value)) return { problem: `Must be finite${got}.` };
  if (whole && !Number.isInteger(value)) return { problem: `Must be a whole number${got}.` };
  if (above !== undefined && above !== null && value <= above) return { problem: `Must be > ${above}${unit}${got}.` };
  if (at_least !== undefined && value < at_least) return { problem: `Must be at least ${at_least}${unit}${got}.` };
  if (at_most !== undefined && value > at_most) return { problem: `Must be at most ${at_most}${unit}${got}.` };
  if (limits.most !== undefined && value > limits.most)
    return { problem: `Must be at most ${limits.most}${unit}, a million steps${got}.` };
  return { value };
}

// What is wrong with a piece of a stimulus in words, or null.
function pieceProblem(piece) {
  if (piece.stop < piece.start) return `It must not end before it begins, ${piece.start} ms, got ${piece.stop} ms.`;
  if (piece.kind === "ramp" && piece.start === -Infinity) return "It must begin at a time.";
  return null;
}

// --- the URL -------------------------------------------------------------------------------------------------------

const short = (x) => (x === Infinity ? "inf" : x === -Infinity ? "-inf" : String(x));

function stimulusText({ base, pieces }) {
  const piece = ({ kind, start, stop, size, strict }) =>
    [kind, short(start), short(stop), short(size), ...(strict ? ["after"] : [])].join(",");
  return [short(base), ...pieces.map(piece)].join(";");
}

// The part of the URL behind "#".
function toHash(s) {
  const published = stateOf(s.preset),
    parts = [`preset=${s.preset}`];
  for (const name of ["scheme", "dt", "T", "V", "u"]) if (s[name] !== published[name]) parts.push(`${name}=${s[name]}`);
  for (const name in s.p) if (s.p[name] !== published.p[name]) parts.push(`${name}=${short(s.p[name])}`);
  const stimulus = stimulusText(s.stimulus);
  if (stimulus !== stimulusText(published.stimulus)) parts.push(`I=${stimulus}`);
  for (const name in NETWORK) if (s.net[name] !== NETWORK[name]) parts.push(`net.${name}=${s.net[name]}`);
  if (s.at !== s.T) parts.push(`at=${s.at}`);
  return parts.join("&");
}

// The state that a part of a URL names, {state, problems}: what is wrong is said in words, and left out.
function fromHash(hash) {
  const problems = [],
    given = [];
  for (const part of hash.replace(/^#/, "").split("&").filter(Boolean)) {
    const [name, ...rest] = part.split("=");
    let value = rest.join("=");
    try {
      value = decodeURIComponent(value);
    } catch {
      problems.push(`${name}: not readable.`);
    }
    given.push([name, value]);
  }
  const preset = (given.find(([name]) => name === "preset") ?? [null, "RS"])[1];
  if (!Object.hasOwn(DATA.presets, preset))
    problems.push(`preset: there is none named ${preset.slice(0, 20)}; this is RS.`);
  const s = stateOf(Object.hasOwn(DATA.presets, preset) ? preset : "RS");
  const set = (name, text, limits, target, key) => {
    const read = readNumber(text, limits);
    if (read.problem) problems.push(`${name}: ${read.problem}`);
    else target[key] = read.value;
  };
  // dt and T first: limits of the others depend on them
  const order = (name) => ["preset", "dt", "T"].indexOf(name) + 1 || 9;
  for (const [name, text] of given.sort(([one], [other]) => order(one) - order(other))) {
    const inNet = name.replace(/^net\./, "");
    if (name === "preset") continue;
    if (name === "scheme" && Object.hasOwn(DATA.schemes, text)) s.scheme = text;
    else if (name === "I") readStimulus(s, text, problems);
    else if (["dt", "T", "V", "u", "at"].includes(name)) set(name, text, limitsOf(s, name), s, name);
    else if (Object.hasOwn(s.p, name)) set(name, text, limitsOf(s, name), s.p, name);
    else if (inNet !== name && Object.hasOwn(NETWORK, inNet)) set(name, text, limitsOf(s, inNet), s.net, inNet);
    else
      problems.push(
        `${name.slice(0, 20)}: ${name === "scheme" ? `no scheme named ${text.slice(0, 20)}` : "not known here"}.`,
      );
  }
  if (stepsOf(s.T, s.dt) > MOST_STEPS_OF_RUN) [s.dt, s.T] = [stateOf(s.preset).dt, stateOf(s.preset).T];
  if (s.T < s.dt) s.T = s.dt;
  if (!given.some(([name]) => name === "at") || s.at > s.T) s.at = s.T;
  return { state: s, problems };
}

function readStimulus(s, text, problems) {
  const [base, ...pieces] = text.split(";"),
    found = { base: 0, pieces: [] },
    wrong = [];
  const number = (text, name) => {
    const read = readNumber(text ?? "", limitsOf(s, name));
    if (read.problem) wrong.push(read.problem);
    return read.value;
  };
  found.base = number(base, "base");
  for (const piece of pieces) {
    const [kind, start, stop, size, after] = piece.split(",");
    const read = {
      kind,
      start: number(start, "start"),
      stop: number(stop, "stop"),
      size: number(size, "size"),
      strict: after === "after",
    };
    if (kind !== "pulse" && kind !== "ramp")
      wrong.push(`there is no ${String(kind).slice(0, 20)}, only pulse and ramp.`);
    else if (!wrong.length && pieceProblem(read)) wrong.push(pieceProblem(read));
    found.pieces.push(read);
  }
  if (wrong.length) problems.push(`I: ${wrong[0]}`);
  else s.stimulus = found;
}
