// A bare loop of batched SQLite inserts: the rows and the settings of the product's beats, and nothing else.
// inserts.mjs <database> <rows of a transaction> <seconds>
import { randomBytes } from 'node:crypto';
import Database from 'better-sqlite3';

const [file, batch, seconds] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const VIEWS = 3000;

const database = new Database(file);
database.exec(`
  PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY;
  CREATE TABLE beat (view_id BLOB NOT NULL, seq BIGINT NOT NULL, from_ms BIGINT NOT NULL, to_ms BIGINT NOT NULL,
    rate_milli INTEGER NOT NULL, hidden BOOLEAN NOT NULL, muted BOOLEAN NOT NULL, captions BOOLEAN NOT NULL, at BIGINT NOT NULL,
    PRIMARY KEY (view_id, seq));`);
const insert = database.prepare('INSERT INTO beat VALUES (?, ?, ?, ?, 1000, 0, 0, 1, ?)');
const views = Array.from({ length: VIEWS }, () => randomBytes(16));

let rows = 0;
const transaction = database.transaction(() => {
  for (let row = 0; row < batch; row += 1, rows += 1) {
    const seq = Math.floor(rows / VIEWS) + 1;
    insert.run(views[rows % VIEWS], seq, seq * 2900, seq * 2900 + 2900, 1_790_000_000_000_000 + rows);
  }
});
const before = process.cpuUsage();
const end = performance.now() + seconds * 1000;
while (performance.now() < end) transaction.immediate();
const used = process.cpuUsage(before);
database.close();
console.log(JSON.stringify({ rows, cpuSeconds: (used.user + used.system) / 1e6 }));
