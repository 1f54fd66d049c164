import type { Finding, Judgement } from '../../../src/types.js';
import type { LayerReport, StructureEvidence } from './evidence.js';

const ADVICE = 'Do not repair the backup itself. Take a new one; if this is all there is, repair a copy (qemu-img check -r all) and verify that.';

/** Judges by the report's numbers and by whether there is a report at all; the exit code is only told. */
export function evaluate(evidence: StructureEvidence): Judgement {
  const findings = evidence.layers.flatMap(judgeLayer);
  const failed = findings.some((finding) => finding.severity === 'critical');
  const checked = evidence.layers.filter((layer) => !layer.notChecked);
  const judgement: Judgement = {
    outcome: failed ? 'fail' : 'pass',
    summary: summarise(evidence, findings, failed),
    findings,
    tested: checked.map((layer) => ({ what: `internal tables of ${layer.path}`, how: `qemu-img check as ${layer.format}` })),
    untested: evidence.layers.flatMap(uncheckable),
  };
  return failed ? { ...judgement, advice: ADVICE } : judgement;
}

function judgeLayer(layer: LayerReport): Finding[] {
  if (layer.notChecked) return [];
  const where = { file: layer.path };
  const said = layer.messages[0] ? ` qemu-img says: ${layer.messages[0]}` : '';
  if (!layer.report)
    return [critical('image.structure.unopenable', `qemu-img cannot check ${layer.path} as ${layer.format} (exit code ${layer.exitCode}).${said}`, where)];
  const { corruptions, leaks, checkErrors } = layer.report;
  const findings: Finding[] = [];
  if (layer.dirty && corruptions > 0 && corruptions <= layer.staleCounts) {
    const message = `The reference counts of ${layer.path} are behind (${corruptions} places), as the image says itself: it was copied while open, with lazy reference counts. They are rebuilt when it is opened for writing; no data are harmed.`;
    findings.push({ code: 'image.structure.counts-behind', severity: 'warning', message, where });
  } else if (corruptions > 0) {
    const message = `${layer.path} has ${corruptions} corruption(s) in its tables: guest data are lost or mixed up.${said}`;
    findings.push(critical('image.structure.corrupt', message, { ...where, corruptions }));
  }
  if (checkErrors > 0)
    findings.push(
      critical('image.structure.check-errors', `${checkErrors} part(s) of ${layer.path} could not be read to be checked.${said}`, { ...where, checkErrors }),
    );
  if (leaks > 0) {
    const message = `${layer.path} has ${leaks} leaked cluster(s): space is wasted, no data are harmed. Usual for an image that was copied while in use.`;
    findings.push({ code: 'image.structure.leaks', severity: 'warning', message, where: { ...where, leaks } });
  }
  return findings;
}

function critical(code: string, message: string, where: Finding['where']): Finding {
  return { code, severity: 'critical', message, where };
}

/** Formats without a check hold nothing that this could have tested: their length is judged by image/completeness. */
function uncheckable(layer: LayerReport): Judgement['untested'] {
  const what = `internal tables of ${layer.path}`;
  switch (layer.notChecked) {
    case null:
      return [];
    case 'no tables':
      return [{ what, why: `a ${layer.format} image has no tables`, holdsData: false }];
    case 'no check in qemu':
      return [{ what, why: `qemu has no check for ${layer.format}; its tables were only followed for their extent`, holdsData: false }];
    case 'log not replayed':
      return [{ what, why: `the ${layer.format} file was copied with its log in use, and qemu reads it only after writing that log into it`, holdsData: true }];
  }
}

function summarise(evidence: StructureEvidence, findings: Finding[], failed: boolean): string {
  const [worst] = findings.filter((finding) => finding.severity === 'critical');
  if (failed && worst) return worst.message;
  const checked = evidence.layers.filter((layer) => !layer.notChecked).length;
  if (checked === 0) return 'There are no tables that qemu could check.';
  const remark = findings.length > 0 ? '; what is remarked on them harms nothing' : '';
  return `The tables of ${checked === 1 ? 'the image file' : `${checked} image files`} are consistent${remark}.`;
}
