/**
 * - **catalogue**: a named library of photos under one or more folders (its roots).
 * - **coverage**: for each kind of metadata, how many images could have it, have it, failed, or still lack it.
 * - **plan**: the phases of work that would fill the gaps. **Rebuild**: doing them.
 */
export { CatalogsModule } from './catalogs.module.js';
export { CatalogsService } from './catalogs.service.js';
export { rebuild } from './tasks/rebuild.task.js';
