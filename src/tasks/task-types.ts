import { Injectable } from '@nestjs/common';
import { invalid } from '../platform/errors/app-error.js';
import type { AnyTaskType } from './define-task.js';
import { ExternalTypes } from './external/external-types.service.js';
import { TaskRegistry } from './task-registry.js';

/** Every kind of work that can be asked for: what this program defines, and what was declared for external workers. */
@Injectable()
export class TaskTypes {
  constructor(
    private readonly registry: TaskRegistry,
    private readonly external: ExternalTypes,
  ) {}

  /** In any letter case; of a declared type the newest version. @throws invalid `unknown_task_type`, naming those there are. */
  async get(name: string): Promise<AnyTaskType> {
    const type = this.registry.find(name)?.definition ?? (await this.external.newest(name));
    if (type) return type;
    const allowed = (await this.names()).join(', ');
    throw invalid('unknown_task_type', `there is no task type "${name}"`, {
      fields: [{ path: 'type', message: 'is not a known task type', value: name, allowed }],
    });
  }

  private async names(): Promise<string[]> {
    const own = this.registry.definitions().flatMap(({ internal, name }) => (internal ? [] : [name]));
    return [...own, ...(await this.external.names())].sort();
  }
}
