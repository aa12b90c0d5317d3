// Each text that is seen and each colour of lines: [what, contrast with what is behind it, the least there should be].
() => {
  const light = (c) =>
    c
      .map((x) => x / 255)
      .map((x) => (x <= 0.03928 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4))
      .reduce((sum, x, i) => sum + x * [0.2126, 0.7152, 0.0722][i], 0);
  const ratio = (a, b) => {
    const [x, y] = [light(a), light(b)].sort((p, q) => q - p);
    return (x + 0.05) / (y + 0.05);
  };
  const numbers = (text) => text.match(/[\d.]+/g).map(Number);
  const behind = (one) => {
    for (; one; one = one.parentElement) {
      const c = numbers(getComputedStyle(one).backgroundColor);
      if (c.length === 3) return c;
    }
  };
  const found = [];
  for (const one of document.querySelectorAll("*")) {
    const own = [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (own && one.checkVisibility() && one.closest("body") && !one.closest("script, .hidden, option"))
      found.push([one.textContent.trim().slice(0, 30), ratio(numbers(getComputedStyle(one).color), behind(one)), 4.5]);
  }
  const hex = (text) => [1, 3, 5].map((i) => parseInt(text.slice(i, i + 2), 16)),
    card = hex(colors.card);
  for (const name of ["text", "muted"]) found.push([name, ratio(hex(colors[name]), card), 4.5]);
  for (const name of ["scheme", "exact", "pale", "green", "purple"])
    found.push([name, ratio(hex(colors[name]), card), 3]);
  return found;
};
