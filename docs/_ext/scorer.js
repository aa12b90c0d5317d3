// What the search shows first: names of the reference and titles as Sphinx has it, then pages that answer questions.
var Scorer = {
  score: ([docname, title, anchor, descr, score]) =>
    score + (/^start/.test(docname) ? 4 : /^howto/.test(docname) ? 3 : /^(learn|coming_from|concepts)/.test(docname) ? 2 : 0),
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};
