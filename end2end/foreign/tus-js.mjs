// Uploads a file with unmodified tus-js-client, the way someone else's script would.
//   node foreign/tus-js.mjs <url of /uploads> <cookie header> <file> <key=value>… [--chunk BYTES] [--stop-after BYTES]
// Prints the upload's address. With --stop-after it breaks off on the way; a second run with --resume <address> goes on.
import { createReadStream, statSync } from 'node:fs';
import tus from 'tus-js-client';

const words = process.argv.slice(2);
const options = {};
for (const name of ['--chunk', '--stop-after', '--resume']) {
  const at = words.indexOf(name);
  if (at >= 0) options[name] = words.splice(at, 2)[1];
}
const [endpoint, cookie, file, ...pairs] = words;
if (!endpoint || !cookie || !file) {
  console.error('usage: tus-js.mjs <url> <cookie> <file> <key=value>… [--chunk BYTES] [--stop-after BYTES] [--resume ADDRESS]');
  process.exit(2);
}
const metadata = Object.fromEntries(pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]));
const stopAfter = Number(options['--stop-after'] ?? Infinity);

const upload = new tus.Upload(createReadStream(file), {
  endpoint,
  uploadUrl: options['--resume'],
  uploadSize: statSync(file).size,
  chunkSize: Number(options['--chunk'] ?? 1024 * 1024),
  headers: { Cookie: cookie },
  metadata,
  retryDelays: [0, 500, 1500],
  onChunkComplete: (_size, accepted) => {
    if (accepted >= stopAfter) {
      upload.abort().then(() => {
        console.log(upload.url);
        process.exit(0);
      });
    }
  },
  onError: (error) => {
    console.error(String(error));
    process.exit(1);
  },
  onSuccess: () => console.log(upload.url),
});
upload.start();
