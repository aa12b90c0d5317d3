// The form: which numbers there are, how far their sliders go, and what they change. `changed()` follows each change,
// `rebuild()` one after which there are other fields.

const RANGES = {
  Izhikevich: {
    a: [-0.05, 0.2, 0.001],
    b: [-1, 1, 0.005],
    c: [-80, -40, 0.5],
    d: [-5, 10, 0.05],
    V_th: [0, 60, 1],
    k2: [0.01, 0.1, 0.001],
    k1: [3, 7, 0.05],
    k0: [80, 200, 1],
    V_b: [-80, -50, 1],
    V: [-90, 20, 0.5],
    u: [-30, 30, 0.1],
    base: [-20, 40, 0.1],
    size: [-20, 40, 0.1],
    slope: [-0.5, 0.5, 0.005],
  },
  Izhikevich2007: {
    C: [10, 300, 1],
    k: [0.1, 4, 0.05],
    vr: [-90, -40, 0.5],
    vt: [-70, -20, 0.5],
    vpeak: [0, 60, 1],
    a: [0.001, 0.3, 0.001],
    b: [-10, 30, 0.1],
    c: [-80, -30, 0.5],
    d: [-50, 300, 1],
    V_b: [-90, -40, 1],
    b_low: [0, 30, 0.5],
    V_cubic: [-80, 0, 1],
    cubic: [0, 0.1, 0.001],
    vpeak_u: [-0.3, 0.3, 0.01],
    c_u: [-0.3, 0.3, 0.01],
    u_max: [0, 1000, 10],
    V: [-90, 20, 0.5],
    u: [-200, 600, 1],
    base: [-200, 1000, 5],
    size: [-200, 1000, 5],
    slope: [-5, 5, 0.05],
  },
};
RANGES.IzhikevichAccommodation = RANGES.Izhikevich;
const FIRST = {
  Izhikevich: ["a", "b", "c", "d"],
  IzhikevichAccommodation: ["a", "b", "c", "d", "V_b"],
  Izhikevich2007: ["C", "k", "vr", "vt", "vpeak", "a", "b", "c", "d"],
};
const REST_TITLE = { Izhikevich2007: "Rules of single cell types (LTS, FS, TC, RTN)" };
const FORMULA = {
  Izhikevich: "V′ = 0.04 V² + 5 V + 140 − u + I,  u′ = a (b V − u);  at V_th: V = c, u += d",
  IzhikevichAccommodation: "V′ = 0.04 V² + 5 V + 140 − u + I,  u′ = a b (V − V_b);  at V_th: V = c, u += d",
  Izhikevich2007: "C V′ = k (V − vr)(V − vt) − u + I,  u′ = a (b (V − vr) − u);  at vpeak: V = c, u += d",
};
const open = { rest: false }; // what stays unfolded when the form is made again

// Fill the form for the state s. Returns all fields, for `refresh`.
function buildControls(form, s, { changed, rebuild, preset }) {
  const fields = [],
    ranges = RANGES[s.model];
  const number = (name, symbol, text, range, target = s, key = name, more = {}) => {
    const made = numberField({
      name,
      symbol,
      text,
      range,
      get: () => target[key],
      limits: () => limitsOf(s, more.like ?? key),
      set: (value) => {
        const problem = more.check?.(value);
        if (problem) return problem;
        target[key] = value;
        changed(name);
        return null;
      },
      ...more,
    });
    fields.push(made);
    return made.row;
  };
  const parameter = (name) => number(name, name, DATA.models[s.model].parameters[name].text, ranges[name], s.p);
  const pick = (...given) => {
    const made = choice(...given);
    fields.push(made);
    return made.row;
  };

  const published = DATA.presets[s.preset];
  const rest = Object.keys(s.p).filter((name) => !FIRST[s.model].includes(name));
  const details = element(
    "details",
    { open: open.rest },
    element("summary", {}, REST_TITLE[s.model] ?? "Threshold and parabola"),
    ...rest.map(parameter),
  );
  details.addEventListener("toggle", () => (open.rest = details.open));
  form.replaceChildren(
    group(
      "Neuron of a paper",
      pick("preset", "preset", presetOptions(), () => s.preset, preset),
      element("p", { class: "note" }, published.source.replace(/, doi:\S+?(?=,|$)/, ""), "."),
      element(
        "button",
        { type: "button", id: "published", onclick: () => preset(s.preset) },
        "Back to the published values",
      ),
    ),
    group(
      "Scheme",
      pick(
        "scheme",
        "scheme",
        Object.keys(DATA.schemes).map((name) => element("option", { value: name }, name)),
        () => s.scheme,
        (name) => {
          s.scheme = name;
          changed("scheme");
        },
      ),
      element("p", { class: "note", id: "scheme-note" }),
      element("p", { class: "note" }, "Continuous time (exact) is drawn beside it, always."),
      number("dt", "dt", "time step", [0.01, 1, 0.01], s, "dt", {
        check: (dt) =>
          s.T < dt
            ? `Must be at most T, ${s.T} ms, got ${dt}.`
            : s.T / dt > MOST_STEPS_OF_RUN
              ? `Must be at least ${s.T / MOST_STEPS_OF_RUN} ms for a million steps, got ${dt}.`
              : null,
      }),
      number("T", "T", "model time", [50, 1000, 10]),
    ),
    group(
      "Parameters",
      element("p", { class: "note formula" }, FORMULA[s.model]),
      ...FIRST[s.model].map(parameter),
      details,
    ),
    buildStimulus(s, number, pick, { changed, rebuild }),
    group(
      "Start",
      number("V", "V", "at t = 0", ranges.V),
      number("u", "u", "at t = 0", ranges.u),
      element("p", { class: "note" }, "Or click into the phase plane."),
    ),
  );
  return fields;
}

function presetOptions() {
  const groups = {
    2003: "2003: cortical and thalamic cells",
    2004: "2004: twenty firing patterns",
    2007: "2007: cells of the book",
  };
  return Object.entries(groups).map(([year, label]) => {
    const mine = Object.entries(DATA.presets).filter(([name]) => (/^\d{4}/.exec(name)?.[0] ?? "2003") === year);
    return element(
      "optgroup",
      { label },
      ...mine.map(([name, { title }]) => element("option", { value: name }, `${name}  ${title}`)),
    );
  });
}

function buildStimulus(s, number, pick, { changed, rebuild }) {
  const ranges = RANGES[s.model],
    time = [0, Math.max(s.T, 100), 1],
    published = DATA.presets[s.preset].stimulus;
  const strong = s.model === "Izhikevich2007" ? Math.max(100, published.base) : 10;
  const kinds = ["constant", "step", "ramp", "pulses"].map((kind) => element("option", { value: kind }, kind));
  const rows = s.stimulus.pieces.map((piece, i) => {
    const told = `${piece.kind} ${i + 1}`;
    const check = (key) => (value) => pieceProblem({ ...piece, [key]: value });
    return element(
      "div",
      { class: "piece", role: "group", "aria-label": told },
      element(
        "div",
        { class: "head" },
        element("b", {}, told),
        element(
          "button",
          {
            type: "button",
            "data-remove": i,
            "aria-label": `remove ${told}`,
            onclick: () => {
              s.stimulus.pieces.splice(i, 1);
              rebuild("I");
            },
          },
          "remove",
        ),
      ),
      number(`start${i}`, "from", "", time, piece, "start", { like: "start", check: check("start") }),
      number(`stop${i}`, "to", "inf: no end", time, piece, "stop", { like: "stop", check: check("stop") }),
      piece.kind === "pulse"
        ? number(`size${i}`, "height", "", ranges.size, piece, "size", { like: "size" })
        : number(`size${i}`, "slope", "", ranges.slope, piece, "size", { like: "slope" }),
    );
  });
  const add = (kind, size) =>
    element(
      "button",
      {
        type: "button",
        "data-add": kind,
        onclick: () => {
          const start = Math.round(s.T * 0.4);
          s.stimulus.pieces.push({ kind, start, stop: Math.round(s.T * 0.6), size, strict: false });
          rebuild("I");
        },
      },
      `add a ${kind}`,
    );
  return group(
    "Stimulus",
    pick(
      "stimulus",
      "shape",
      kinds,
      () => kindOf(s.stimulus),
      (kind) => {
        s.stimulus = kind === kindOf(published) ? clone(published) : template(kind, strong, s.T);
        rebuild("I");
      },
    ),
    number("base", "I", rows.length ? "at all times, to which is added" : "", ranges.base, s.stimulus, "base"),
    ...rows,
    element(
      "div",
      { class: "buttons" },
      add("pulse", strong),
      add("ramp", Number(((2 * strong) / s.T).toPrecision(2))),
    ),
  );
}
