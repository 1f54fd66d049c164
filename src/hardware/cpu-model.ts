/** A processor as `-cpu` takes it: a model and switches of features, and nothing that a host could refuse without need. */

const MODEL = /^[A-Za-z][\w.-]{0,63}$/;
const SWITCH = /^[+-]?[A-Za-z][\w.-]{0,40}(=(on|off|true|false|\d{1,10}))?$/;
/** They make QEMU refuse to start where it would only warn. */
const STRICT = new Set(['enforce', 'enforce=on', 'check', 'check=on', 'migratable=off']);

/** Null when it is no such text. `host` stands for all that the host has, which "max" means for every accelerator. */
export function cpuModelFrom(text: string): string | null {
  const [model = '', ...features] = text.split(',').map((part) => part.trim());
  if (!MODEL.test(model) || features.length > 300 || features.some((feature) => !SWITCH.test(feature))) return null;
  const kept = features.filter((feature) => !STRICT.has(feature));
  return [model === 'host' ? 'max' : model, ...kept].join(',');
}
