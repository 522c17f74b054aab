import type { Response } from 'express';
import type { EnqueuedTask } from '../queue/enqueuer.js';
import type { Task } from '../task.js';
import type { TaskService } from '../task.service.js';
import type { TaskDto } from './dto/task.dto.js';
import { toTaskDto } from './task-json.js';

/** 202 with the task and where to follow it; `Idempotent-Replay` says that the task was there already. */
export async function accepted(tasks: TaskService, added: EnqueuedTask, response: Response): Promise<TaskDto> {
  return acceptedTask(await tasks.get(added.id), response, !added.created);
}

export function acceptedTask(task: Task, response: Response, replayed = false): TaskDto {
  response.status(202).setHeader('Location', `/api/tasks/${task.id}`);
  if (replayed) response.setHeader('Idempotent-Replay', 'true');
  return toTaskDto(task);
}
