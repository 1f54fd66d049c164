/** The page: type, measure, headings, contents beside the text where there is room. */
export const BASE = `
*, ::before, ::after { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; scroll-padding-top: 1rem; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 1rem/1.55 system-ui, sans-serif; overflow-wrap: anywhere; }
code, .hash, pre { font-family: ui-monospace, monospace; font-size: .875em; }
a { color: var(--link); text-underline-offset: .15em; }
a:focus-visible, summary:focus-visible, [tabindex]:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
p, ul, ol, dl, table, figure { margin: 0 0 1rem; }
h1, h2, h3, h4 { line-height: 1.25; text-wrap: balance; }
h1 { font-size: clamp(1.6rem, 1.2rem + 2vw, 2.25rem); margin: 0 0 .25rem; letter-spacing: -.015em; }
h2 { font-size: 1.3rem; margin: 0 0 1rem; letter-spacing: -.01em; }
h3 { font-size: 1.05rem; margin: 1.5rem 0 .5rem; }
h4 { font-size: 1rem; margin: 1rem 0 .25rem; }
.skip { position: absolute; left: -99rem; } .skip:focus { left: 1rem; top: 1rem; background: var(--ground); padding: .5rem 1rem; z-index: 1; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.masthead { display: flex; flex-wrap: wrap; gap: .25rem 1.5rem; justify-content: space-between; align-items: baseline;
  padding: .9rem clamp(1rem, 4vw, 3rem); border-bottom: 1px solid var(--line); color: var(--muted); font-size: .9rem; }
.masthead p { margin: 0; } .masthead strong { color: var(--ink); letter-spacing: -.01em; font-size: 1.05rem; }
.sheet { max-width: 84rem; margin: 0 auto; padding: 1.5rem clamp(1rem, 4vw, 3rem) 3rem; }
.lede { color: var(--muted); margin-bottom: 1.5rem; }
section.part { padding-top: 1.75rem; margin-top: 1.75rem; border-top: 1px solid var(--line); counter-increment: part; }
main { counter-reset: part; min-width: 0; }
section.part > h2::before { content: counter(part) ". "; color: var(--muted); font-weight: 400; }
nav.contents { font-size: .92rem; }
nav.contents h2 { font-size: .8rem; text-transform: uppercase; letter-spacing: .07em; color: var(--muted); margin-bottom: .5rem; }
nav.contents ol { margin: 0; padding-left: 2em; }
nav.contents li { padding: .22rem 0; } nav.contents li::marker { color: var(--muted); font-variant-numeric: tabular-nums; }
nav.contents a { color: var(--ink); text-decoration: none; } nav.contents a:hover { text-decoration: underline; color: var(--link); }
footer { border-top: 1px solid var(--line); margin-top: 2.5rem; padding-top: 1rem; color: var(--muted); font-size: .88rem; }
@media (min-width: 70rem) {
  .sheet { display: grid; grid-template-columns: 14rem minmax(0, 1fr); gap: 0 3.5rem; }
  nav.narrow { display: none; } nav.contents { position: sticky; top: 1.5rem; align-self: start; max-height: calc(100vh - 3rem); overflow-y: auto; } }
@media (max-width: 69.99rem) { nav.wide { display: none; } nav.contents ol { columns: 2 12rem; margin-top: .5rem; }
  nav.narrow { margin-bottom: 1.25rem; } nav.narrow summary { cursor: pointer; color: var(--link); } }
`;
