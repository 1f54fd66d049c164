/** On paper: A4, page numbers, nothing torn apart, colours kept where they carry a meaning. */
export const PRINT = `
@page { size: A4; margin: 16mm 15mm 18mm; @bottom-right { content: counter(page) " / " counter(pages); font: 8pt system-ui, sans-serif; color: #56606b; } }
@media print {
  html { font-size: 9.5pt; } body { line-height: 1.45; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  .sheet { display: block; padding: 0; max-width: none; } .masthead { padding: 0 0 .5rem; margin-bottom: 1rem; }
  nav.contents, .skip, details.data { display: none; }
  section.part { margin-top: 1.1rem; padding-top: 1.1rem; }
  h2, h3, h4, thead, .legend { break-after: avoid; } figure, tr, .figures > div, .verdict, ol.stages, ul.plain > li, dl.facts dd, .strip { break-inside: avoid; } tbody tr:first-child { break-before: avoid; } .card > h3, .card > h4 { break-after: avoid; }
  p, li { orphans: 3; widows: 3; } a { color: inherit; text-decoration: none; }
  .charts { grid-template-columns: repeat(2, minmax(0, 1fr)); gap: .75rem 1.5rem; } .screens { grid-template-columns: repeat(4, minmax(0, 1fr)); } .screens li.last img, .screens li:target img { max-width: 60%; }
  .figures { grid-template-columns: repeat(3, minmax(0, 1fr)); } .new-page { break-before: page; }
}
`;
