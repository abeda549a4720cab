/** nginx of the distribution, one worker, on the server's core. */
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../support/server';
import { start } from './pinned';

export class Nginx {
  private constructor(
    readonly url: string,
    private readonly process: ChildProcess,
  ) {}

  get pid(): number {
    return this.process.pid!;
  }

  static async start(root: string, sendfile: 'on' | 'off'): Promise<Nginx> {
    const port = await freePort();
    const folder = mkdtempSync(join(tmpdir(), 'mini-webinar-nginx-'));
    const config = join(folder, 'nginx.conf');
    writeFileSync(
      config,
      `daemon off; worker_processes 1; pid ${folder}/pid; error_log ${folder}/error.log;
${process.getuid?.() === 0 ? 'user root;' : ''}
events { worker_connections 1024; }
http {
  access_log off; sendfile ${sendfile}; tcp_nopush on; keepalive_requests 1000000;
  types { video/mp4 mp4; text/html html; }
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/f; uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
  server { listen 127.0.0.1:${port}; root ${root}; location = /204 { return 204; } }
}`,
    );
    const child = start('nginx', ['-c', config, '-p', folder], { stdio: 'inherit', env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` } });
    const nginx = new Nginx(`http://127.0.0.1:${port}`, child);
    for (let tries = 0; !(await fetch(`${nginx.url}/204`).then((answer) => answer.ok, () => false)); tries += 1) {
      if (tries > 50) throw new Error('nginx did not start');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return nginx;
  }

  stop(): void {
    this.process.kill('SIGTERM');
  }
}
