/** What pages are put together from. */
export const PARTS = `
.sign { width: 1.1em; height: 1.1em; flex: none; vertical-align: -.18em; }
.sign .body { fill: currentColor; } .sign .mark { fill: none; stroke: var(--ground); stroke-width: 2.6; stroke-linecap: round; stroke-linejoin: round; }
.ok { color: var(--ok); } .bad { color: var(--bad); } .open { color: var(--open); } .void { color: var(--void); } .none { color: var(--none); }
.badge { font-weight: 600; white-space: nowrap; } .badge .sign { margin-right: .4em; }
.verdict { display: grid; grid-template-columns: auto minmax(0, 1fr); gap: 0 1.25rem; align-items: center; padding: 1.25rem 1.5rem; border-radius: .5rem;
  border: 1px solid currentColor; border-left-width: .5rem; }
.verdict.ok { background: var(--ok-ground); } .verdict.bad { background: var(--bad-ground); } .verdict.open { background: var(--open-ground); } .verdict.void { background: var(--void-ground); } .verdict.none { background: var(--none-ground); }
.verdict .sign { width: 3.5rem; height: 3.5rem; grid-row: span 2; } .verdict .sign .mark { stroke-width: 2; }
.verdict .word { font-size: 1.9rem; font-weight: 750; letter-spacing: .01em; line-height: 1.1; margin: 0; }
.verdict .meaning { margin: .2rem 0 0; color: var(--ink); }
.figures { display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); gap: 1px; background: var(--line); border: 1px solid var(--line); border-radius: .5rem; overflow: hidden; margin: 1rem 0 0; }
.figures > div { background: var(--ground); padding: .75rem 1rem; } .figures dt { font-size: .82rem; color: var(--muted); margin: 0; }
.figures dd { margin: .1rem 0 0; font-size: 1.12rem; font-weight: 650; line-height: 1.3; } .figures dd small { display: block; font-weight: 400; font-size: .85rem; color: var(--muted); margin-top: .15rem; }
.reasons { padding-left: 1.6em; } .reasons > li { margin-bottom: .5rem; } .reasons > li::marker { font-weight: 650; }
ul.plain { list-style: none; padding: 0; } ul.plain > li { padding: .35rem 0; border-top: 1px solid var(--line); } ul.plain > li:first-child { border-top: 0; }
ul.places .flag { margin-left: 0; } ul.places { margin: .25rem 0 .5rem; padding-left: 1.2em; color: var(--muted); font-size: .93rem; }
.what { font-weight: 600; } .how { color: var(--muted); font-weight: 400; }
.flag { display: inline-block; font-size: .78rem; font-weight: 650; padding: .05rem .5rem; border-radius: 1rem; background: var(--open-ground); color: var(--open); margin-left: .3rem; }
.flag.bad { background: var(--bad-ground); color: var(--bad); } .flag.none { background: var(--none-ground); color: var(--none); }
.columns h3 { margin-top: .25rem; } .part > h2 + h3 { margin-top: .25rem; } dl.facts ul:not(.plain) { padding-left: 1.2em; } dl.facts dd > :last-child { margin-bottom: 0; } dl.facts ul.plain > li:first-child { padding-top: 0; }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); gap: 0 2.5rem; }
dl.facts { display: grid; grid-template-columns: minmax(8rem, 14rem) minmax(0, 1fr); gap: 0; }
dl.facts > div { display: contents; } dl.facts dt, dl.facts dd { padding: .4rem 0; border-top: 1px solid var(--line); margin: 0; } dl.facts > div:first-child > * { border-top: 0; }
dl.facts dt { color: var(--muted); padding-right: 1rem; }
.card { color: var(--ink); border: 1px solid var(--line); border-radius: .5rem; padding: 1rem 1.25rem; margin: 0 0 1rem; }
.card > h3, .card > h4 { margin: 0 0 .5rem; display: flex; flex-wrap: wrap; gap: .2rem .8rem; align-items: center; }
.card > :last-child { margin-bottom: 0; }
.card.ok { border-left: .35rem solid var(--ok); } .card.bad { border-left: .35rem solid var(--bad); } .card.open { border-left: .35rem solid var(--open); } .card.none { border-left: .35rem solid var(--none); }
.balance { margin: 1.25rem 0 0; } .balance .stack { height: 1rem; } .balance ul { list-style: none; padding: 0; margin: .4rem 0 0; display: flex; flex-wrap: wrap; gap: .25rem 1.5rem; }
ul.many { columns: 2 22rem; column-gap: 2.5rem; } ul.many > li { break-inside: avoid; }
ul.names { list-style: none; padding: 0; margin: .15rem 0 0; color: var(--ink); font-size: .93rem; columns: 2 14rem; } ul.names > li { padding: .05rem 0; break-inside: avoid; }
ul.marks { list-style: none; padding: 0; margin: 0; display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; font-size: .93rem; } ul.marks .badge { font-weight: 500; }
ul.legend-list { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .25rem 1.5rem; font-size: .93rem; }
.time { color: var(--muted); font-size: .85rem; font-weight: 400; margin-left: auto; font-variant-numeric: tabular-nums; }
.note { color: var(--muted); font-size: .93rem; } .empty { color: var(--muted); font-style: italic; }
pre { background: var(--soft); border: 1px solid var(--line); border-radius: .4rem; padding: .75rem 1rem; white-space: pre-wrap; overflow-wrap: anywhere; margin: 0 0 1rem; }
.hash { overflow-wrap: anywhere; }
@media (max-width: 40rem) { .verdict { padding: 1rem; gap: 0 1rem; } .verdict .sign { width: 2.5rem; height: 2.5rem; } .verdict .word { font-size: 1.5rem; }
  .figures { grid-template-columns: repeat(2, minmax(0, 1fr)); } dl.facts { display: block; } dl.facts > div { display: block; border-top: 1px solid var(--line); padding: .4rem 0; } dl.facts dt, dl.facts dd { border: 0; padding: 0; }
  .card { padding: .85rem 1rem; } }
`;
