import { error } from '@sveltejs/kit';
import { invitation } from '../../../../../catalogue.js';

export function load({ params }) {
  return invitation(params.slug) ?? error(404, 'There is nothing here.');
}
