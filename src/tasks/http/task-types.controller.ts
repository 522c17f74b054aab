import { Controller, Get } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Roles } from '../../access/index.js';
import { inputFields } from '../task-input.js';
import { TaskRegistry } from '../task-registry.js';
import { TaskTypeListDto } from './dto/task-type.dto.js';

@ApiTags('tasks')
@Controller('task-types')
@Roles('viewer')
export class TaskTypesController {
  constructor(private readonly registry: TaskRegistry) {}

  /** The kinds of work there are. */
  @Get()
  listTaskTypes(): TaskTypeListDto {
    const definitions = this.registry.definitions().filter((definition) => !definition.internal);
    const items = definitions.map((definition) => ({
      name: definition.name,
      version: definition.version,
      title: definition.title,
      queue: definition.queue,
      max_attempts: definition.retry.attempts,
      timeout_ms: definition.timeoutMs,
      params: inputFields(definition),
    }));
    return { items: items.sort((a, b) => (a.name < b.name ? -1 : 1)) };
  }
}
