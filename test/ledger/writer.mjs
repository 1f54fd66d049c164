// Appends records to the ledger of a state folder and prints the id of each that was stored: writer.mjs STATE PREFIX COUNT TEXT-LENGTH
import { openLedger } from './src/ledger/ledger.js';

const [state, prefix, count, length] = process.argv.slice(2);
const ledger = openLedger(state);
for (let index = 0; index < Number(count); index++) {
  const id = `${prefix}-${index}`;
  ledger.append({ schema: 'snapproof.record/v1', id, verdict: 'passed', restorePoint: { machine: prefix }, text: 'x'.repeat(Number(length)) });
  // Synchronous, so that what was printed was stored before.
  process.stdout.write(`${id}\n`);
}
ledger.close();
