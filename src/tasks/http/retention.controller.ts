import { Body, Controller, Delete, Get, HttpCode, Param, Put, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { type Actor, CurrentActor, Roles } from '../../access/index.js';
import { cursorAfter, decodeCursor } from '../../platform/http/cursor.js';
import { PageQueryDto } from '../../platform/http/dto/page.dto.js';
import { RetentionPolicies } from '../retention/retention-policies.js';
import { TaskArchive } from '../retention/task-archive.js';
import {
  RetentionDto,
  RetentionPolicyDto,
  SetRetentionDto,
  TaskArchivePageDto,
  TaskTypeParamDto,
  toKeepByOutcomeDto,
  toRetentionPolicyDto,
  toTaskArchiveDto,
  typePolicyIn,
} from './dto/retention.dto.js';

@ApiTags('retention')
@Controller('retention')
export class RetentionController {
  constructor(
    private readonly policies: RetentionPolicies,
    private readonly archive: TaskArchive,
  ) {}

  /** How long finished tasks are kept. They go when a task `maintenance.retention` runs. */
  @Get()
  @Roles('viewer')
  async getRetention(): Promise<RetentionDto> {
    return {
      defaults: toKeepByOutcomeDto(this.policies.defaults),
      idempotency_key_hours: this.policies.idempotencyKeyHours,
      items: (await this.policies.list()).map(toRetentionPolicyDto),
    };
  }

  /** Archives of removed tasks, oldest first. */
  @Get('archives')
  @Roles('viewer')
  async listTaskArchives(@Query() { limit, cursor }: PageQueryDto): Promise<TaskArchivePageDto> {
    const [after = ''] =
      cursor === undefined ? [] : decodeCursor(cursor, 1, ([name]) => /^[0-9a-f-]{36}\/[\w.-]+$/.test(name ?? ''));
    const archives = await this.archive.list(after, limit);
    return {
      items: archives.map(toTaskArchiveDto),
      next_cursor: cursorAfter(
        archives.map(({ name }) => ({ id: name })),
        limit,
      ),
    };
  }

  /** What is set for one type; 404 when it follows the default. */
  @Get('types/:type')
  @Roles('viewer')
  async getRetentionOfType(@Param() { type }: TaskTypeParamDto): Promise<RetentionPolicyDto> {
    return toRetentionPolicyDto(await this.policies.get(type));
  }

  /** Sets how long tasks of a type are kept; replaces what was set before. */
  @Put('types/:type')
  @Roles('admin')
  async setRetentionOfType(
    @Param() { type }: TaskTypeParamDto,
    @Body() body: SetRetentionDto,
    @CurrentActor() actor: Actor,
  ): Promise<RetentionPolicyDto> {
    return toRetentionPolicyDto(await this.policies.set(type, typePolicyIn(body), actor.label));
  }

  /** Lets a type follow the default again. */
  @Delete('types/:type')
  @Roles('admin')
  @HttpCode(204)
  async resetRetentionOfType(@Param() { type }: TaskTypeParamDto): Promise<void> {
    await this.policies.reset(type);
  }
}
