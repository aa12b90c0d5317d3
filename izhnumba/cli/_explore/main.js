// The page: one state, drawn at once when it changes; the f-I curve, the network, the code and the URL follow when
// there is time.

let s = stateOf("RS"),
  fields = [],
  netFields = [],
  atField = null,
  run = null,
  exact = null,
  plane = null;
let language = "Python",
  raster = null;

// --- at once -------------------------------------------------------------------------------------------------------

function draw() {
  run = simulate(s);
  exact = solve(s);
  drawTraces($("traces"), s, run, exact);
  plane = drawPhase($("phase"), s, run, exact);
  tell(s, run, exact, plane);
}

// After each change: `name` says of what.
function changed(name) {
  const began = performance.now();
  if (name === "T" || s.at > s.T) s.at = s.T;
  draw();
  performance.measure("izhnumba: change to picture", { start: began, end: performance.now() });
  if (name !== "at") atField.refresh();
  later();
}

function rebuild(name) {
  const focused = document.activeElement?.dataset ?? {};
  makeForm();
  changed(name);
  const again = focused.select
    ? `[data-select="${focused.select}"]`
    : focused.add
      ? `[data-add="${focused.add}"]`
      : "[data-add]";
  if ("select" in focused || "add" in focused || "remove" in focused) $("controls").querySelector(again).focus();
}

function makeForm() {
  fields = buildControls($("controls"), s, {
    changed,
    rebuild,
    preset: (name) => {
      const { net } = s;
      s = { ...stateOf(name), net };
      makeForm();
      makeTimeField();
      changed("preset");
      document.querySelector('[data-select="preset"]').focus();
    },
  });
  document.querySelector('[data-select="scheme"]').setAttribute("aria-describedby", "scheme-note");
}

function makeTimeField() {
  atField = numberField({
    name: "at",
    symbol: "t",
    text: "moment of the current shown",
    range: [0, s.T, 0.5],
    get: () => s.at,
    limits: () => limitsOf(s, "at"),
    limitsOfSlider: () => [0, s.T],
    set: (value) => {
      s.at = value;
      changed("at");
      return null;
    },
  });
  $("at").replaceChildren(atField.row);
}

// --- start -----------------------------------------------------------------------------------------------------------

function show(hash) {
  const { state, problems } = fromHash(hash);
  s = state;
  makeForm();
  makeNetFields();
  makeTimeField();
  changed("preset");
  $("address").hidden = !problems.length;
  $("address").textContent = problems.length ? `In the address: ${problems.join(" ")}` : "";
}

function makeNetFields() {
  const ranges = {
    cells: [20, 400, 5],
    excitation: [0, 3, 0.05],
    inhibition: [0, 3, 0.05],
    noise: [0, 3, 0.05],
    seed: [1, 100, 1],
  };
  const text = {
    cells: "four of five excitatory",
    excitation: "times that of net.m",
    inhibition: "times that of net.m",
    noise: "times that of net.m",
    seed: "",
  };
  netFields = Object.keys(ranges).map((name) =>
    numberField({
      name: `net.${name}`,
      symbol: name,
      text: text[name],
      range: ranges[name],
      get: () => s.net[name],
      limits: () => limitsOf(s, name),
      set: (value) => {
        s.net = { ...s.net, [name]: value };
        later();
        return null;
      },
    }),
  );
  $("net").replaceChildren(...netFields.map((field) => field.row));
}

function drawAll() {
  readColors();
  if (run) draw();
  if ($("fi").curve) drawFI($("fi"), ...$("fi").curve);
  if (raster) drawRaster($("raster"), raster);
}

// The theme of the system, or in a frame that of the site around it.
const dark = matchMedia("(prefers-color-scheme: dark)");
let around = null;
try {
  around = parent !== window && parent.document.documentElement.dataset.theme ? parent.document.documentElement : null;
} catch {} // a page from elsewhere, which may not be looked into

function setTheme() {
  const chosen = $("theme").value,
    system = around?.dataset.theme ?? (dark.matches ? "dark" : "light");
  document.documentElement.dataset.theme = chosen === "system" ? system : chosen;
  drawAll();
}
$("theme").addEventListener("change", setTheme);
dark.addEventListener("change", setTheme);
if (around) new MutationObserver(setTheme).observe(around, { attributeFilter: ["data-theme"] });

$("phase").addEventListener("click", (event) => {
  const { b } = plane,
    V = b.vx(event.offsetX),
    u = b.vy(event.offsetY);
  if (V < b.x[0] || V > b.x[1] || u < b.y[0] || u > b.y[1]) return;
  [s.V, s.u] = [Number(V.toFixed(1)), Number(u.toFixed(s.model === "Izhikevich2007" ? 0 : 2))];
  fields.forEach((field) => field.refresh());
  changed("V");
});
$("traces").addEventListener("click", (event) => {
  const t = traceBoxes($("traces"), s, run, exact)[0].vx(event.offsetX);
  if (t < 0 || t > s.T) return;
  s.at = Number(t.toPrecision(4));
  atField.refresh();
  changed("at");
});
$("python").addEventListener("click", () => copyCode("Python"));
$("cpp").addEventListener("click", () => copyCode("C++"));
$("link").addEventListener("click", () => {
  history.replaceState(null, "", `#${toHash(s)}`);
  copy(location.href, "Copied the address of this page, which holds all that you have set.");
});
$("controls").addEventListener("submit", (event) => event.preventDefault());
addEventListener("hashchange", () => show(location.hash));
const resized = new ResizeObserver((all) => {
  for (const {
    target,
    contentRect: { width, height },
  } of all)
    sizes.set(target, { width, height });
  drawAll();
});
for (const canvas of document.querySelectorAll("canvas")) resized.observe(canvas);
setTheme();
show(location.hash);
