import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const peers = dirname(dirname(fileURLToPath(import.meta.url)));

export default { outputFileTracingRoot: peers, turbopack: { root: peers } };
