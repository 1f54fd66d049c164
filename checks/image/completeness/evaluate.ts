import type { Finding, ImageLayer, Judgement } from '../../../src/types.js';
import { judgeDetails } from './details.js';
import type { CompletenessEvidence } from './evidence.js';

const ADVICE = 'This backup cannot be brought back as it is. Look whether the copy or upload was interrupted and fetch the file again, or take a new backup.';

export function evaluate(evidence: CompletenessEvidence): Judgement {
  const findings = [...(evidence.refused ? [evidence.refused] : []), ...evidence.layers.flatMap(judgeLayer)];
  const worst = findings.find((finding) => finding.severity === 'critical');
  const judgement: Judgement = {
    outcome: worst ? 'fail' : 'pass',
    summary: worst ? worst.message : summarise(evidence.layers),
    findings,
    tested: evidence.layers.map((layer) => ({ what: `completeness of ${layer.path}`, how: `length against the ${layer.format} tables` })),
    untested: evidence.layers.flatMap(untestedOf),
  };
  return worst ? { ...judgement, advice: ADVICE } : judgement;
}

function judgeLayer(layer: ImageLayer): Finding[] {
  const findings = judgeDetails(layer);
  const missingBytes = layer.promisedBytes - layer.sizeBytes;
  if (missingBytes <= 0) return findings;
  const message =
    `${layer.path} is cut off: it is ${layer.sizeBytes} bytes long, but its own tables point to data up to byte ${layer.promisedBytes} ` +
    `(${missingBytes} bytes are missing).`;
  const where = { file: layer.path, sizeBytes: layer.sizeBytes, promisedBytes: layer.promisedBytes };
  return [{ code: 'image.truncated', severity: 'critical', message, where }, ...findings];
}

function untestedOf(layer: ImageLayer): Judgement['untested'] {
  const untested: Judgement['untested'] = [];
  const { encryption = 'none', complete } = layer.details;
  if (encryption !== 'none')
    untested.push({ what: `content of ${layer.path}`, why: `the image is encrypted (${encryption}) and there is no key`, holdsData: true });
  if (complete === false) untested.push({ what: `length of ${layer.path}`, why: 'its tables are larger than is looked at', holdsData: true });
  return untested;
}

function summarise(layers: ImageLayer[]): string {
  return layers.length === 1
    ? 'The image file is as long as its tables require.'
    : `All ${layers.length} files of the chain are there and as long as their tables require.`;
}
