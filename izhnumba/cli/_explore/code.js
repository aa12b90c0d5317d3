// The shown run as a program: in Python by izhnumba, and in C++ by itself, whose equations and rule are the text of
// the functions in model.js. Both print the times of the spikes that the page shows.

function pythonNumber(x) {
  return Number.isFinite(x) ? (Object.is(x, -0) ? "0" : String(x)) : `float("${x > 0 ? "inf" : "-inf"}")`;
}

function pythonPiece({ kind, start, stop, size, strict }) {
  const shape =
    kind === "pulse"
      ? `iz.Pulses(${pythonNumber(start)}, ${pythonNumber(stop)}, ${pythonNumber(size)}`
      : `iz.Ramp(${pythonNumber(size)}, ${pythonNumber(start)}, ${pythonNumber(stop)}`;
  return `${shape}${strict ? ", strict=True" : ""})`;
}

// The model time as a whole number of steps, which izhnumba asks for.
function pythonTime({ T, dt }) {
  const steps = stepsOf(T, dt);
  return Math.abs(T / dt - steps) <= 1e-3 ? pythonNumber(T) : `${steps} * ${pythonNumber(dt)}`;
}

function asPython(s) {
  const published = stateOf(s.preset);
  const changed = ["V", "u"].filter((name) => s[name] !== published[name]).map((name) => [name, s[name]]);
  for (const name in s.p) if (s.p[name] !== published.p[name]) changed.push([name, s.p[name]]);
  const variant = changed.length
    ? ` | {${changed.map(([name, x]) => `"${name}": ${pythonNumber(x)}`).join(", ")}}`
    : "";
  const { base, pieces } = s.stimulus,
    same = stimulusText(s.stimulus) === stimulusText(published.stimulus);
  const parts = [
    ...(base !== 0 || !pieces.length ? [`iz.Constant(${pythonNumber(base)})`] : []),
    ...pieces.map(pythonPiece),
  ];
  const { title } = DATA.presets[s.preset],
    unit = DATA.models[s.model].I;
  return `# ${s.preset}, ${title}${variant ? ", varied" : ""}; made with izhnumba ${DATA.version}
import izhnumba as iz

preset = iz.presets["${s.preset}"]
cell = iz.Population(1, scheme="${s.scheme}", dt=${pythonNumber(s.dt)}, **preset${variant})
current = ${same ? "preset.stimulus" : parts.length > 1 ? `(\n    ${parts.join("\n    + ")}\n)` : parts[0]}  # ${unit}
result = cell.run(${pythonTime(s)}, current, record=["V", "u"])
print(result.spikes.t)  # ms; result.t, result.V and result.u are the traces
`;
}

function cppNumber(x) {
  if (!Number.isFinite(x)) return `${x < 0 ? "-" : ""}std::numeric_limits<double>::infinity()`;
  const text = String(x);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

// A function of model.js as C++, under this name.
function cppFunction(name, f) {
  const [, head, body] = /^function \w+\(([^)]*)\) \{([\s\S]*)\}$/.exec(f.toString());
  const type = { n: "Neuron& n", p: "const Parameters& p" };
  const given = head
    .split(", ")
    .filter((argument) => argument !== "m")
    .map((argument) => {
      const used = new RegExp(`\\b${argument}\\b`).test(body);
      const declared = type[argument] ?? `double ${argument}`;
      return used ? declared : declared.replace(/ ?\w+$/, "");
    });
  const text = body
    .replace(/\bm\.(\w+)/g, "$1")
    .replace(/\bconst (?=\w+ =)/g, "const double ")
    .replace(/\bMath\.abs\b/g, "std::fabs")
    .replace(/\bMath\.expm1\b/g, "std::expm1");
  return `static ${/\breturn\b/.test(body) ? "double" : "void"} ${name}(${given.join(", ")}) {${text}}`;
}

// The C++ line that adds a piece to I in step k.
function cppPiece(piece, dt) {
  const [first, end] = stepsOn(piece, dt),
    on = [...(first > 0 ? [`k >= ${first}`] : []), ...(end < Infinity ? [`k < ${end}`] : [])];
  const size =
    piece.kind === "pulse" ? cppNumber(piece.size) : `${cppNumber(piece.size)} * (k * dt - ${cppNumber(piece.start)})`;
  return `    ${on.length ? `if (${on.join(" && ")}) ` : ""}I += ${size};\n`;
}

// Those that the current uses have names.
function cppArguments({ pieces }) {
  if (pieces.some((piece) => piece.kind === "ramp")) return "long k, double dt";
  return pieces.length ? "long k, double" : "long, double";
}

function asCpp(s) {
  const scheme = DATA.schemes[s.scheme],
    m = equationsOf(s.model, s.scheme),
    rule = RULES[s.scheme];
  const exponential = rule === exp_euler,
    { parameters, I, u } = DATA.models[s.model];
  const names = ["dt_f", ...(exponential ? ["dt_slope"] : []), "du", "threshold", "V_reset", "u_reset"];
  const functions = [
    ...names.map((name) => cppFunction(name, m[name])),
    ...(exponential ? [cppFunction("exprel", exprel)] : []),
    cppFunction("rule", rule),
  ];
  const values = Object.entries(s.p).map(
    ([name, x]) => `    double ${name} = ${cppNumber(x)};  // ${parameters[name].unit}, ${parameters[name].text}`,
  );
  const gain = !exponential ? "0.0" : m.leaks ? "dt * p.a * exprel(dt * -p.a)" : "dt * p.a";
  const reset = "const double V = V_reset(n.u, p);\n            n.u = u_reset(n.u, p);\n            n.V = V;";
  const first = `        if (n.V >= threshold(n.u, p)) {\n            ${reset}\n        }\n`;
  return `// ${s.preset}, ${DATA.presets[s.preset].title}: ${s.T} ms by ${s.scheme}, dt ${s.dt} ms.
// g++ -O2 -ffp-contract=off -o neuron neuron.cpp && ./neuron
// Prints the times of spikes in ms, those of izhnumba ${DATA.version} with scheme="${s.scheme}".
#include <cmath>
#include <cstdio>
#include <limits>

struct Parameters {
${values.join("\n")}
};

struct Neuron {
    double V = ${cppNumber(s.V)};  // mV
    double u = ${cppNumber(s.u)};  // ${u}
};

${functions.join("\n\n")}

// ${I}, in step k
static double current(${cppArguments(s.stimulus)}) {
    double I = ${cppNumber(s.stimulus.base)};
${s.stimulus.pieces.map((piece) => cppPiece(piece, s.dt)).join("")}    return I;
}

int main() {
    const double dt = ${cppNumber(s.dt)};
    const Parameters p;
    const double gain = ${gain};
    Neuron n;
    for (long k = 0; k < ${stepsOf(s.T, s.dt)}; k++) {
${scheme.reset_first ? first : ""}        rule(n, current(k, dt), p, dt, gain);
        if (!std::isfinite(n.V) || !std::isfinite(n.u)) {
            std::fprintf(stderr, "V is infinite at %.17g ms\\n", (k + 1) * dt);
            return 1;
        }
        if (n.V ${scheme.strict_test ? ">" : ">="} threshold(n.u, p)) {
            std::printf("%.17g\\n", (k + 1) * dt);
${scheme.reset_first ? "" : `            ${reset}\n`}        }
    }
    return 0;
}
`;
}
