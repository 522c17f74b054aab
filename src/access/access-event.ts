export type AccessAction = 'token.created' | 'token.renamed' | 'token.revoked';

/** One thing that somebody did to the tokens. */
export interface AccessEvent {
  readonly id: string;
  readonly at: Date;
  readonly action: AccessAction;
  /** Label of the actor: `token:demo`, `cli:anna@nas`. */
  readonly actor: string;
  readonly tokenId: string;
  /** As it was called then. */
  readonly tokenName: string;
  readonly details: Readonly<Record<string, string | null>>;
}
