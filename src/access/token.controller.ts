import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { isUUID } from 'class-validator';
import type { Response } from 'express';
import { Clock } from '../platform/clock/clock.js';
import { decodeCursor, encodeCursor } from '../platform/http/cursor.js';
import { Roles } from '../platform/http/declared-access.js';
import { timeOf } from '../platform/http/time-of.js';
import { UuidPipe } from '../platform/http/uuid.pipe.js';
import type { Actor } from './actor.js';
import {
  CreatedTokenDto,
  CreateTokenDto,
  ListTokensDto,
  TokenDto,
  TokenPageDto,
  UpdateTokenDto,
} from './dto/token.dto.js';
import { CurrentActor } from './request-caller.js';
import { type Token, tokenDocument } from './token.js';
import { TokenService } from './token.service.js';

@ApiTags('access')
@Controller('tokens')
@Roles('admin')
export class TokenController {
  constructor(
    private readonly tokens: TokenService,
    private readonly clock: Clock,
  ) {}

  /** Makes a token. Its secret is in this answer and nowhere else. */
  @Post()
  async createToken(
    @Body() { name, role, expires_at: expiry }: CreateTokenDto,
    @CurrentActor() actor: Actor,
    @Res({ passthrough: true }) response: Response,
  ): Promise<CreatedTokenDto> {
    const expiresAt = timeOf(expiry);
    const { token, secret } = await this.tokens.create({ name, role, expiresAt }, actor);
    response.setHeader('Location', `/api/tokens/${token.id}`).setHeader('Cache-Control', 'no-store');
    return { ...tokenDocument(token, this.clock.now()), token: secret };
  }

  /** Tokens, newest first. */
  @Get()
  async listTokens(@Query() { limit, cursor, with_revoked: withRevoked }: ListTokensDto): Promise<TokenPageDto> {
    const [before] = cursor === undefined ? [] : decodeCursor(cursor, 1, ([id]) => isUUID(id));
    const page = await this.tokens.list({ limit, before, withRevoked });
    return {
      items: page.items.map((token) => this.toDto(token)),
      next_cursor: page.next === undefined ? null : encodeCursor([page.next]),
    };
  }

  /** The token that this request was made with. */
  @Get('current')
  @Roles('viewer', 'worker')
  async getCurrentToken(@CurrentActor() actor: Actor): Promise<TokenDto> {
    return this.toDto(await this.tokens.get(actor.id));
  }

  /** One token. */
  @Get(':id')
  async getToken(@Param('id', UuidPipe) id: string): Promise<TokenDto> {
    return this.toDto(await this.tokens.get(id));
  }

  /** Renames a token. */
  @Patch(':id')
  async updateToken(
    @Param('id', UuidPipe) id: string,
    @Body() { name }: UpdateTokenDto,
    @CurrentActor() actor: Actor,
  ): Promise<TokenDto> {
    return this.toDto(await this.tokens.rename(id, name, actor));
  }

  /** Revokes a token: it stops working within five seconds, for ever. It stays listed. */
  @Delete(':id')
  @HttpCode(200)
  async revokeToken(@Param('id', UuidPipe) id: string, @CurrentActor() actor: Actor): Promise<TokenDto> {
    return this.toDto(await this.tokens.revoke(id, actor));
  }

  private toDto(token: Token): TokenDto {
    return tokenDocument(token, this.clock.now());
  }
}
