import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsIn, IsNotEmpty, IsOptional, IsString } from 'class-validator';
import { MaxLength } from '../../platform/http/max-length.js';
import { IsPointInTime } from '../../platform/http/is-point-in-time.js';
import { PageQueryDto } from '../../platform/http/dto/page.dto.js';
import { type Role, ROLES } from '../../platform/http/declared-access.js';
import type { TokenState } from '../token.js';

export class CreateTokenDto {
  /**
   * What the token is called in lists and in the audit trail. Unique among the tokens that are not revoked.
   * @example "phone"
   */
  @IsString()
  @IsNotEmpty()
  @MaxLength(100)
  name: string;

  /** `viewer` reads; `operator` also starts, cancels and edits; `worker` only works on external tasks; `admin` everything. */
  @IsIn(ROLES)
  role: Role;

  /** When it stops working; left out, it works until it is revoked. */
  @IsOptional()
  @IsPointInTime()
  @ApiProperty({ format: 'date-time' })
  expires_at?: string;
}

export class UpdateTokenDto {
  /** A new name. */
  @IsString()
  @IsNotEmpty()
  @MaxLength(100)
  name: string;
}

export class ListTokensDto extends PageQueryDto {
  /** Whether revoked tokens are listed as well. */
  @IsOptional()
  @Transform(({ value }: { value: unknown }) => (value === 'true' ? true : value === 'false' ? false : value))
  @IsIn([true, false])
  with_revoked?: boolean = true;
}

/** A token, without its secret. */
export class TokenDto {
  /** UUID. */
  id: string;
  name: string;
  role: Role;
  /** How the secret begins. */
  prefix: string;
  state: TokenState;
  created_at: Date;
  /** Who made it. */
  created_by: string;
  expires_at: Date | null;
  /** Within a minute. */
  last_used_at: Date | null;
  revoked_at: Date | null;
  revoked_by: string | null;
}

export class CreatedTokenDto extends TokenDto {
  /** The secret, for `Authorization: Bearer …`. It is shown this once and stored nowhere. */
  token: string;
}

export class TokenPageDto {
  items: TokenDto[];
  /** For the query parameter `cursor`; null on the last page. */
  next_cursor: string | null;
}
