import type { Finding, Judgement } from '../../../src/types.js';
import type { LayerReport, StructureEvidence } from './evidence.js';

const ADVICE = 'Do not repair the backup itself. Take a new one; if this is all there is, repair a copy (qemu-img check -r all) and verify that.';

/** Judges by the report's numbers and by whether there is a report at all; the exit code is only told. */
export function evaluate(evidence: StructureEvidence): Judgement {
  const findings = evidence.layers.flatMap(judgeLayer);
  const failed = findings.some((finding) => finding.severity === 'critical');
  const checked = evidence.layers.filter((layer) => layer.checkable);
  const judgement: Judgement = {
    outcome: failed ? 'fail' : 'pass',
    summary: summarise(evidence, findings, failed),
    findings,
    tested: checked.map((layer) => ({ what: `internal tables of ${layer.path}`, how: `qemu-img check as ${layer.format}` })),
    // A format without tables has nothing that could contradict itself; its length is judged by image/completeness.
    untested: evidence.layers.filter((layer) => !layer.checkable).map(uncheckable),
  };
  return failed ? { ...judgement, advice: ADVICE } : judgement;
}

function judgeLayer(layer: LayerReport): Finding[] {
  if (!layer.checkable) return [];
  const where = { file: layer.path };
  const said = layer.messages[0] ? ` qemu-img says: ${layer.messages[0]}` : '';
  if (!layer.report)
    return [critical('image.structure.unopenable', `qemu-img cannot check ${layer.path} as ${layer.format} (exit code ${layer.exitCode}).${said}`, where)];
  const { corruptions, leaks, checkErrors } = layer.report;
  const findings: Finding[] = [];
  if (corruptions > 0)
    findings.push(
      critical('image.structure.corrupt', `${layer.path} has ${corruptions} corruption(s) in its tables: guest data are lost or mixed up.${said}`, {
        ...where,
        corruptions,
      }),
    );
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

function uncheckable(layer: LayerReport): Judgement['untested'][number] {
  const why = layer.format === 'raw' ? 'a raw image has no tables' : `qemu has no check for ${layer.format}; its tables were only followed for their extent`;
  return { what: `internal tables of ${layer.path}`, why, holdsData: false };
}

function summarise(evidence: StructureEvidence, findings: Finding[], failed: boolean): string {
  const [worst] = findings.filter((finding) => finding.severity === 'critical');
  if (failed && worst) return worst.message;
  const checked = evidence.layers.filter((layer) => layer.checkable).length;
  if (checked === 0) return 'The format has no tables of its own that qemu could check.';
  const leaks = findings.length > 0 ? '; some space is leaked, which harms nothing' : '';
  return `The tables of ${checked === 1 ? 'the image file' : `all ${checked} image files`} are consistent${leaks}.`;
}
