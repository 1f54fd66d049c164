/** VERIFY.md: how to verify an archive by hand. Its commands are run by a test, as they stand. */
export const GUIDE_TEXT = `# How to verify this archive

You need a POSIX shell, \`sha256sum\` (coreutils), \`openssl\` (1.1.1 or later; 3.0 or later for \`-rawin\`) and \`jq\`; not snapproof, and no network.
Run the steps in the folder that holds this file. Each ends with a line that begins with \`ok:\`; a step that finds something ends with an error.

With snapproof it is one command: \`snapproof ledger verify ARCHIVE.tar.gz --key KEYID\`.

## What is here

| file | what it is |
| --- | --- |
| \`documents/N.json\` | what was stored as entry N: records of verifications, drills, sign-offs, keys, time stamps |
| \`chain.jsonl\` | every entry of the whole ledger, one a line; each names the hash of the one before it |
| \`envelopes/N.*.json\` | signatures of entry N (DSSE envelopes, https://github.com/secure-systems-lab/dsse, with in-toto statements) |
| \`keys/ID.pem\` | public keys (Ed25519); the ID is the SHA-256 of the key in DER |
| \`timestamps/N.tst\` | time stamp tokens of an authority (RFC 3161) |
| \`artefacts/DIGEST\` | screenshots and logs that records name by their SHA-256 |
| \`schemas/\` | JSON Schemas that say what each field means |
| \`manifest.json\` | what was chosen (time, machine), and what is here |
| \`SHA256SUMS\`, \`SHA256SUMS.dsse.json\` | digests of all files, and the signature of that list |

## 1. No file was changed

\`\`\`sh
sha256sum --check --strict --quiet SHA256SUMS
test "$(find . -type f ! -name SHA256SUMS ! -name SHA256SUMS.dsse.json | wc -l)" -eq "$(wc -l < SHA256SUMS)"
echo "ok: all files are as they were exported, and none was put in"
\`\`\`

## 2. Every key is the one it is named after

Compare the IDs with those you were given on another way (paper, mail, a colleague): this is where trust begins. \`keys revoked\` or \`rotated\` are listed
with the entry from which they no longer count.

\`\`\`sh
for key in keys/*.pem; do
  [ -e "$key" ] || continue
  test "$(openssl pkey -pubin -in "$key" -outform DER | sha256sum | cut -d ' ' -f 1)" = "$(basename "$key" .pem)"
done
for document in documents/*.json; do
  jq -r --arg file "$document" 'select(.schema == "snapproof.key/v1") | "\\($file): key \\(.keyId) \\(.event)"' "$document"
done
echo "ok: keys have the IDs they are named after"
\`\`\`

## 3. The chain holds

\`\`\`sh
previous=0000000000000000000000000000000000000000000000000000000000000000
while IFS= read -r line; do
  fields=$(printf '%s' "$line" | jq -cS 'del(.entryHash)')
  hash=$(printf 'snapproof.ledger-entry/v1\\n%s' "$fields" | sha256sum | cut -d ' ' -f 1)
  test "$hash" = "$(printf '%s' "$line" | jq -r .entryHash)"
  test "$previous" = "$(printf '%s' "$line" | jq -r .previousHash)"
  previous=$hash
done < chain.jsonl
test "$previous" = "$(jq -r .head.hash manifest.json)"
echo "ok: the chain holds; its head is $previous"
\`\`\`

## 4. Every document is the one that the chain names

\`\`\`sh
for document in documents/*.json; do
  seq=$(basename "$document" .json | sed 's/^0*//')
  test "$(sha256sum < "$document" | cut -d ' ' -f 1)" = "$(jq -r --argjson seq "$seq" 'select(.seq == $seq) | .recordSha256' chain.jsonl)"
done
echo "ok: documents are those of the chain"
\`\`\`

## 5. Signatures are good, and say what is true

A signature is over \`DSSEv1\`, the length and the text of the type, the length and the bytes of the payload. The payload names the document by its digest
and its place in the chain. A document of an inconclusive verification has no test result, only its place in the chain: nobody signs that it passed.

\`\`\`sh
work=$(mktemp -d)
check() {
  jq -j .payload "$1" | openssl base64 -d -A > "$work/payload"
  jq -j '.signatures[0].sig' "$1" | openssl base64 -d -A > "$work/signature"
  type=$(jq -j .payloadType "$1")
  { printf 'DSSEv1 %d %s %d ' "\${#type}" "$type" "$(wc -c < "$work/payload")"; cat "$work/payload"; } > "$work/signed"
  openssl pkeyutl -verify -rawin -pubin -inkey "keys/$(jq -j '.signatures[0].keyid' "$1").pem" -in "$work/signed" -sigfile "$work/signature" > "$work/said"
}
for envelope in envelopes/*.json; do
  [ -e "$envelope" ] || continue
  check "$envelope"
  seq=$(basename "$envelope" | cut -d . -f 1)
  digest=$(sha256sum < "documents/$seq.json" | cut -d ' ' -f 1)
  case $envelope in
    *.record.*)
      test "$(jq -r '.subject[0].digest.sha256' "$work/payload")" = "$digest"
      jq -cS '.predicate | {seq, recordId, recordSha256, previousHash, previousRecordId, appendedAt, entryHash}' "$work/payload" > "$work/place"
      grep -qxF -f "$work/place" chain.jsonl
      ;;
    *.test-result.*)
      test "$(jq -r .predicate.url "$work/payload")" = "urn:snapproof:record:$digest"
      test "$(jq -r .predicate.result "$work/payload" | tr A-Z a-z)" = "$(jq -r .verdict "documents/$seq.json")"
      ;;
  esac
done
if [ -e SHA256SUMS.dsse.json ]; then
  check SHA256SUMS.dsse.json
  test "$(jq -r '.subject[0].digest.sha256' "$work/payload")" = "$(sha256sum < SHA256SUMS | cut -d ' ' -f 1)"
fi
rm -r "$work"
echo "ok: all signatures are good"
\`\`\`

## 6. Time stamps

Each token says that an authority outside saw the head of the chain at a time. Put the certificate of the authority (from the authority, not from here)
into \`TSA_CA\`; without it this step only shows what the tokens say.

\`\`\`sh
for token in timestamps/*.tst; do
  [ -e "$token" ] || continue
  document=documents/$(basename "$token" .tst).json
  head=$(jq -r .headHash "$document")
  jq -r '"entry \\(.headSeq) existed at \\(.genTime), says \\(.authority)"' "$document"
  grep -q "\\"entryHash\\":\\"$head\\"" chain.jsonl
  if [ -n "\${TSA_CA:-}" ]; then openssl ts -verify -digest "$head" -token_in -in "$token" -CAfile "$TSA_CA" -attime "$(jq -r '.genTime | sub("\\\\.[0-9]+Z$"; "Z") | fromdate' "$document")"; fi
done
echo "ok: time stamps are about heads of this chain"
\`\`\`

## 7. What was found

\`\`\`sh
for document in documents/*.json; do
  jq -r 'select(.schema == "snapproof.record/v1") | [.startedAt, .restorePoint.machine, .restorePoint.id, .verdict] | map(tostring | @json) | join(" ")' "$document"
done
echo "ok: end of the list"
\`\`\`
`;
