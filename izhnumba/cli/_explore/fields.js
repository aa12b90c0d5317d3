// A number as a slider with a box: what is typed wrong is said in words below it, and the last good number stays.

let ids = 0;

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== null && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

function boxText(x) {
  return Number.isFinite(x) ? String(Number(x.toPrecision(12))).replace("-", "−") : x > 0 ? "inf" : "−inf";
}

// one: {name, symbol, text, range: [min, max, step], get(), set(value), limits()}. Returns {row, refresh()}; `refresh`
// shows the number of now, and widens the slider to hold it.
function numberField(one) {
  const id = `f${++ids}`,
    [min, max, step] = one.range,
    { unit } = one.limits(),
    digits = -Math.floor(Math.log10(step) + 1e-9);
  const spoken = `${one.symbol}${one.text ? `, ${one.text}` : ""}${unit ? `, in ${unit}` : ""}`;
  const slider = element("input", {
    type: "range",
    min,
    max,
    step,
    "aria-label": `${spoken}, slider`,
    "data-slider": one.name,
  });
  const input = element("input", {
    type: "text",
    inputmode: "decimal",
    autocomplete: "off",
    spellcheck: "false",
    id,
    "aria-describedby": `${id}e`,
    "data-box": one.name,
  });
  const error = element("p", { class: "error", id: `${id}e`, hidden: true });
  const label = element("label", { for: id }, element("b", {}, one.symbol), one.text ? ` ${one.text}` : "");
  if (unit) label.append(element("span", { class: "hidden" }, `, in ${unit}`));
  const row = element(
    "div",
    { class: "field" },
    label,
    slider,
    input,
    element("span", { class: "unit", "aria-hidden": "true" }, unit ?? ""),
    error,
  );

  function complain(problem) {
    error.textContent = problem ?? "";
    error.hidden = !problem;
    if (problem) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
  }

  function refresh() {
    const value = one.get();
    if (input !== document.activeElement || !error.hidden) input.value = boxText(value);
    complain(null);
    const [low, high] = one.limitsOfSlider ? one.limitsOfSlider() : [min, max];
    const ends = Number.isFinite(value)
      ? [Math.min(low, Math.floor(value / step) * step), Math.max(high, Math.ceil(value / step) * step)]
      : [low, high];
    [slider.min, slider.max] = ends.map((x) => x.toFixed(Math.max(digits, 0)));
    slider.value = Number.isFinite(value) ? value : value > 0 ? ends[1] : ends[0];
    slider.setAttribute("aria-valuetext", `${boxText(value)}${unit ? ` ${unit}` : ""}`);
  }

  function put(text) {
    const read = readNumber(text, one.limits());
    const problem = read.problem ?? one.set(read.value);
    complain(problem);
    return !problem;
  }

  slider.addEventListener("input", () => {
    const value = Number(Number(slider.value).toFixed(Math.max(digits, 0)));
    input.value = boxText(value);
    if (put(String(value))) slider.setAttribute("aria-valuetext", `${boxText(value)}${unit ? ` ${unit}` : ""}`);
  });
  input.addEventListener("input", () => put(input.value));
  input.addEventListener("change", () => {
    if (error.hidden) input.value = boxText(one.get());
    if (error.hidden) refresh();
  });
  input.addEventListener("keydown", (event) => {
    const sign = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (!sign) return;
    event.preventDefault();
    const value = Number((one.get() + sign * step * (event.shiftKey ? 10 : 1)).toFixed(Math.max(digits, 0) + 3));
    if (put(String(value))) {
      input.value = boxText(value);
      slider.value = value;
    }
  });
  refresh();
  return { row, refresh };
}

function group(title, ...children) {
  return element("fieldset", {}, element("legend", {}, title), ...children);
}

function choice(name, text, options, get, set) {
  const id = `f${++ids}`,
    select = element("select", { id, "data-select": name }, ...options);
  select.addEventListener("change", () => set(select.value));
  const refresh = () => {
    select.value = get();
  };
  refresh();
  return { row: element("div", { class: "choice" }, element("label", { for: id }, text), select), refresh };
}
