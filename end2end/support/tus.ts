/** Enough of tus 1.0 to put a recording into a webinar without the browser. */
import type { APIRequestContext } from '@playwright/test';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

/** The sample recording: H.264 and AAC, three minutes. */
export const SAMPLE_VIDEO = resolve('../server/demo/sample.mp4');
export const SAMPLE_CAPTIONS = resolve('../server/demo/sample.en.vtt');

export function metadata(values: Record<string, string>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name} ${Buffer.from(value).toString('base64')}`)
    .join(',');
}

/** Uploads a file in one piece; the request context brings the coach's cookie. */
export async function upload(request: APIRequestContext, webinar: string, file = SAMPLE_VIDEO): Promise<string> {
  const bytes = readFileSync(file);
  const created = await request.post('/uploads', {
    headers: {
      'Tus-Resumable': '1.0.0',
      'Upload-Length': String(bytes.length),
      'Upload-Metadata': metadata({ filename: 'session.mp4', filetype: 'video/mp4', webinar }),
    },
  });
  if (created.status() !== 201) throw new Error(`creating an upload answered ${created.status()}: ${await created.text()}`);
  const location = created.headers()['location'];
  if (!location) throw new Error('the upload has no address');
  const sent = await request.fetch(location, {
    method: 'PATCH',
    headers: { 'Tus-Resumable': '1.0.0', 'Upload-Offset': '0', 'Content-Type': 'application/offset+octet-stream' },
    data: bytes,
  });
  if (sent.status() !== 204) throw new Error(`the upload answered ${sent.status()}: ${await sent.text()}`);
  return location;
}
