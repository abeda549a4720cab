// How both frameworks ask for the page: one statement for the webinar, one for its questions, prepared once.
import Database from 'better-sqlite3';

let statements;

function prepare() {
  const database = new Database(process.env.BENCH_DB, { readonly: true });
  return {
    webinar: database.prepare(
      `SELECT slug, title, presenter, accent, description_html, poster_url, recorded, duration_minutes, has_captions, consent_text
       FROM webinar WHERE slug = ? AND state = 'published'`,
    ),
    fields: database.prepare('SELECT name, label, kind, autocomplete, required FROM field WHERE slug = ? ORDER BY position'),
  };
}

export function invitation(slug) {
  statements ??= prepare();
  const webinar = statements.webinar.get(slug);
  return webinar && { ...webinar, fields: statements.fields.all(slug), form_stamp: Date.now().toString(36) };
}
