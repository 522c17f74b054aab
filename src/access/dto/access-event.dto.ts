import type { AccessAction, AccessEvent } from '../access-event.js';

/** One thing that somebody did. */
export class AccessEventDto {
  id: string;
  at: Date;
  action: AccessAction;
  /**
   * Who did it.
   * @example "token:demo"
   */
  actor: string;
  /** UUID of the token that it was done to. */
  token_id: string;
  /** As the token was called then. */
  token_name: string;
  details: Record<string, string | null>;
}

export class AccessEventPageDto {
  items: AccessEventDto[];
  /** For the query parameter `cursor`; null on the last page. */
  next_cursor: string | null;
}

export const toAccessEventDto = (event: AccessEvent): AccessEventDto => ({
  id: event.id,
  at: event.at,
  action: event.action,
  actor: event.actor,
  token_id: event.tokenId,
  token_name: event.tokenName,
  details: event.details,
});
