import type { Provider, Type } from '@nestjs/common';
import { ChildrenExplainer } from './children.explainer.js';
import { CreatedExplainer } from './created.explainer.js';
import { DeadlineExplainer } from './deadline.explainer.js';
import { DependenciesExplainer } from './dependencies.explainer.js';
import { DelayExplainer } from './delay.explainer.js';
import { FinishedExplainer } from './finished.explainer.js';
import { LimitsExplainer } from './limits.explainer.js';
import { QueueExplainer } from './queue.explainer.js';
import type { Explainer } from './reason.js';
import { RunningExplainer } from './running.explainer.js';
import { SuspectExplainer } from './suspect.explainer.js';
import { WorkersExplainer } from './workers.explainer.js';

/** In order of weight: the first reason that any of them gives is the answer in one sentence. A new one is one line. */
const EXPLAINERS: readonly Type<Explainer>[] = [
  FinishedExplainer,
  CreatedExplainer,
  DependenciesExplainer,
  RunningExplainer,
  ChildrenExplainer,
  DelayExplainer,
  LimitsExplainer,
  WorkersExplainer,
  SuspectExplainer,
  QueueExplainer,
  DeadlineExplainer,
];

export const TASK_EXPLAINERS = Symbol('photosafe:task-explainers');

export const EXPLAINER_PROVIDERS: readonly Provider[] = [
  ...EXPLAINERS,
  { provide: TASK_EXPLAINERS, useFactory: (...all: Explainer[]) => all, inject: [...EXPLAINERS] },
];
