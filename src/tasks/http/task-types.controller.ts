import { Controller, Get } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Roles } from '../../access/index.js';
import type { AnyTaskDefinition } from '../define-task.js';
import { ExternalTypes, type ListedType } from '../external/external-types.service.js';
import { inputSchemaOf } from '../input-schema.js';
import { inputFields } from '../task-input.js';
import { TaskRegistry } from '../task-registry.js';
import { TaskTypeDto, TaskTypeListDto } from './dto/task-type.dto.js';

@ApiTags('tasks')
@Controller('task-types')
@Roles('viewer')
export class TaskTypesController {
  constructor(
    private readonly registry: TaskRegistry,
    private readonly external: ExternalTypes,
  ) {}

  /** The kinds of work there are: PhotoSafe's own, and those that were declared for external workers. */
  @Get()
  async listTaskTypes(): Promise<TaskTypeListDto> {
    const own = this.registry.definitions().filter((definition) => !definition.internal);
    const items = [...own.map(ownType), ...(await this.external.list()).map(externalType)];
    return { items: items.sort((a, b) => (a.name < b.name ? -1 : 1)) };
  }
}

const ownType = (definition: AnyTaskDefinition): TaskTypeDto => ({
  name: definition.name,
  version: definition.version,
  versions: [definition.version],
  title: definition.title,
  queue: definition.queue,
  max_attempts: definition.retry.attempts,
  timeout_ms: definition.timeoutMs,
  params: inputFields(definition),
  external: false,
  input_schema: inputSchemaOf(definition),
  result_schema: null,
});

const externalType = (type: ListedType): TaskTypeDto => ({
  name: type.name,
  version: type.version,
  versions: [...type.versions],
  title: type.title,
  queue: type.queue,
  max_attempts: type.maxAttempts,
  timeout_ms: type.timeoutMs,
  params: Object.keys(type.inputSchema.properties ?? {}).sort(),
  external: true,
  input_schema: type.inputSchema,
  result_schema: type.resultSchema,
});
