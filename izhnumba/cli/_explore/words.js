// What the pictures show, in words: below them, and for those who cannot see them.

const $ = (id) => document.getElementById(id);

const plural = (n, one) => `${n} ${one}${n === 1 ? "" : "s"}`;
const rounded = (x) => numberText(Number(x.toPrecision(4)));

// Of the traces and the phase plane.
function tell(s, run, exact, plane) {
  const { I, u } = DATA.models[s.model],
    scheme = DATA.schemes[s.scheme],
    first = run.spikes[0];
  const steps = `${s.scheme} in steps of ${s.dt} ms`,
    found = plural(run.spikes.length, "spike");
  const last = exact.crowded ? "where the equations run away" : "where it changes too fast to be followed";
  const end = exact.stopped === null ? "" : ` until ${rounded(exact.stopped)} ms, ${last}`;
  $("by-scheme").textContent = `${s.scheme}, dt ${s.dt} ms: ${found}`;
  $("by-exact").textContent =
    `exact: ${exact.stopped === null ? "" : "at least "}${plural(exact.spikes.length, "spike")}`;
  const times =
    first === undefined || !exact.spikes.length
      ? ""
      : ` The first comes at ${rounded((first + 1) * s.dt)} ms, in continuous time at ${rounded(exact.spikes[0])} ms.`;
  const points = plane.points.map((one) => `${one.kind} at ${rounded(one.V)} mV`).join(", ") || "no fixed point";
  const summary = `${steps}: ${found} in ${s.T} ms. The exact solution has ${exact.spikes.length}${end}.${times}`;
  const at = `At t = ${rounded(s.at)} ms, where I is ${rounded(plane.I)} ${I}: ${points}.`;
  $("summary").textContent = summary;
  $("points").textContent = at;
  $("traces").setAttribute("aria-label", `V, u and I over ${s.T} ms. ${summary}`);
  $("phase").setAttribute(
    "aria-label",
    `Phase plane of V and u (${u}). ${at} The run starts at V ${rounded(s.V)} mV, u ${rounded(s.u)}.`,
  );
  $("scheme-note").textContent = `${scheme.source}.`;
  const troubles = [];
  if (run.failed >= 0) {
    const t = rounded((run.failed + 1) * s.dt);
    troubles.push(`By ${steps} V or u becomes infinite at ${t} ms. Use a smaller dt or a weaker input.`);
  }
  if (s.dt > scheme.dt_max) {
    const lost = `dt = ${s.dt} ms is too large for the scheme ${s.scheme}: spikes are lost and V overshoots.`;
    troubles.push(`${lost} Use dt ≤ ${scheme.dt_max} ms.`);
  }
  if (exact.stopped !== null) {
    const t = rounded(exact.stopped);
    troubles.push(
      exact.crowded
        ? `In continuous time the equations run away at ${t} ms: spikes come closer and closer, without end.`
        : `In continuous time V or u change too fast to be followed beyond ${t} ms.`,
    );
  }
  trouble(troubles);
}

function trouble(messages) {
  $("trouble").hidden = !messages.length;
  $("trouble").replaceChildren(...messages.map((message) => element("p", {}, message)));
}

// Of the f-I curve; onset: the least current at which it goes on firing, or null.
function tellCurve(s, curve, { saddleNode, hopf }, onset) {
  const unit = DATA.models[s.model].I,
    at = (name, found) => found.map((I) => `${name} bifurcation at I = ${rounded(I)} ${unit}`);
  const lines =
    [...at("Hopf", hopf), ...at("saddle-node", saddleNode)].join(", ").replace(/^s/, "S") ||
    "No bifurcation of the resting state";
  const from =
      onset === null
        ? "It does not go on firing at any of these currents"
        : `From rest it goes on firing from I = ${rounded(onset)} ${unit}`,
    most = curve[curve.length - 1];
  const top = most.exact > 0 ? `; ${rounded(most.exact)} Hz at ${rounded(most.I)} ${unit}` : "";
  const unsolved = curve.filter((one) => one.exact === null).length;
  const away = unsolved ? ` There is no exact rate at ${unsolved} of the ${plural(curve.length, "current")}.` : "";
  $("fi-note").textContent = `${lines}. ${from}${top}.${away}`;
  $("fi").setAttribute(
    "aria-label",
    `Firing rate over constant current, in continuous time and by ${s.scheme}. ${$("fi-note").textContent}`,
  );
}

// Of the raster of the network.
function tellNetwork({ i, cells, excitatory, T }) {
  const rate = (n, mine) => numberText(Number(((1000 * i.filter(mine).length) / (n * T)).toFixed(1)));
  const inhibitory = cells - excitatory;
  $("net-note").textContent =
    `${excitatory} excitatory cells fire at ${rate(excitatory, (k) => k < excitatory)} Hz, ` +
    `${inhibitory} inhibitory ones at ${rate(inhibitory, (k) => k >= excitatory)} Hz.`;
  $("raster").setAttribute("aria-label", `Spikes of a network over a second. ${$("net-note").textContent}`);
}
