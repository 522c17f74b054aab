import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';
import type { AccessAction, AccessEvent } from './access-event.js';

/** A row of `access_events`: appended, never changed. */
@Entity('access_events')
export class AccessEventEntity implements AccessEvent {
  /** bigint: a string in JavaScript. */
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'ALWAYS' })
  id: string;

  @Column('timestamptz')
  at: Date;

  @Column('text')
  action: AccessAction;

  @Column('text')
  actor: string;

  @Column('uuid', { name: 'token_id' })
  tokenId: string;

  @Column('text', { name: 'token_name' })
  tokenName: string;

  @Column('jsonb')
  details: Record<string, string | null>;
}
