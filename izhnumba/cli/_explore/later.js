// What follows a change when there is time: the URL, words for screen readers, the f-I curve, the network, the program.

let waiting = 0,
  round = 0,
  curveIsDue = false,
  shownCurve = "",
  shownNet = "";

function later() {
  clearTimeout(waiting);
  round++;
  waiting = setTimeout(() => {
    waiting = 0;
    history.replaceState(null, "", `#${toHash(s)}`);
    $("live").textContent = `${$("summary").textContent} ${$("points").textContent}`;
    showCode();
    curveOf(round);
    networkOf();
  }, 200);
}

// The f-I curve, in slices of some ms, until another change makes it old.
function curveOf(mine) {
  const key = toHash({ ...s, net: NETWORK, at: s.T });
  curveIsDue = key !== shownCurve;
  if (!curveIsDue) return;
  const currents = fiCurrents(s),
    limits = bifurcations(s),
    curve = [],
    of = clone(s);
  // every fourth first, so that the shape is there soon
  const order = [0, 2, 1, 3].flatMap((k) => currents.filter((_, i) => i % 4 === k));
  const slice = () => {
    if (mine !== round) return;
    const began = performance.now();
    while (order.length && performance.now() - began < 8) curve.push(ratesAt(of, order.shift()));
    curve.sort((one, other) => one.I - other.I);
    $("fi").curve = [of, curve, currents, limits];
    drawFI($("fi"), ...$("fi").curve);
    setTimeout(order.length ? slice : () => narrow(onsetIn(curve)), 0);
  };
  const narrow = (onset) => {
    if (mine !== round) return;
    const closer = onset && onsetCloser(of, onset);
    if (closer) return setTimeout(narrow, 0, closer);
    shownCurve = key;
    curveIsDue = false;
    tellCurve(of, curve, limits, onset && onset[1]);
  };
  slice();
}

function networkOf() {
  const key = JSON.stringify(s.net);
  if (key === shownNet) return;
  shownNet = key;
  raster = runNetwork(s.net);
  drawRaster($("raster"), raster);
  tellNetwork(raster);
}

function showCode() {
  const code = language === "Python" ? asPython(s) : asCpp(s);
  if ($("code").textContent !== code) $("code").textContent = code; // the same text again would end a selection of it
}

async function copy(text, done) {
  try {
    await navigator.clipboard.writeText(text);
    $("copied").textContent = done;
  } catch {
    getSelection().selectAllChildren($("code"));
    $("copied").textContent = "This browser does not let a page copy: the code below is selected, press Ctrl+C.";
  }
}

function copyCode(chosen) {
  language = chosen;
  showCode();
  copy($("code").textContent, `Copied as ${chosen}.`);
}
