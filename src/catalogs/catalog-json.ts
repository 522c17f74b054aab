import type { CatalogView } from './catalog.js';
import type { CatalogDto, PlanDto } from './dto/catalog.dto.js';
import type { RebuildPlan } from './rebuild.service.js';

// Apart from the classes, which bring their documentation along: commands print the same JSON and start quicker without.

export const toCatalogDto = (catalog: CatalogView): CatalogDto => ({
  id: catalog.id,
  name: catalog.name,
  roots: catalog.roots.map((root) => ({
    id: root.id,
    path: root.path,
    state: root.state,
    offline_reason: root.offlineReason ?? null,
    state_since: root.stateSince,
  })),
  images: { ...catalog.images },
  created_at: catalog.createdAt,
  updated_at: catalog.updatedAt,
});

export const toPlanDto = (catalogId: string, plan: RebuildPlan): PlanDto => ({
  catalog_id: catalogId,
  phases: plan.phases.map((phase) => ({
    type: phase.type,
    items: phase.items,
    depends_on: phase.dependsOn,
    group: phase.group,
    estimate_seconds: phase.estimateSeconds ?? null,
  })),
  critical_path: plan.criticalPath,
  estimate_seconds: plan.estimateSeconds ?? null,
});
