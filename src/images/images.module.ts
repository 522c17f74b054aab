import { Module } from '@nestjs/common';
import { StorageModule } from '../storage/index.js';
import { eventListeners, lineageSources, taskHandlers, TasksModule } from '../tasks/index.js';
import { AnalysisReportService } from './analysis/analysis-report.service.js';
import { AnalysisService } from './analysis/analysis.service.js';
import { IdentitiesRepository } from './analysis/identities.repository.js';
import { IdentityService } from './analysis/identity.service.js';
import { ReadingsRepository } from './analysis/readings.repository.js';
import { CatalogImagesService } from './catalog-images.service.js';
import { CoverageService } from './coverage.service.js';
import { metadataLineage, problemLineage, thumbnailLineage } from './image-lineage.js';
import { ImagesRepository } from './images.repository.js';
import { ImagesService } from './images.service.js';
import { OriginalsService } from './originals.service.js';
import { renderImportedPhotos } from './photo-imported.triggers.js';
import { ProblemsRepository } from './problems.repository.js';
import { Renderer } from './rendering/renderer.js';
import { RootsRepository } from './roots/roots.repository.js';
import { RootsService } from './roots/roots.service.js';
import { ScanRepository } from './scan/scan.repository.js';
import { ScannerService } from './scan/scanner.service.js';
import { AnalyzeBatchHandler } from './tasks/analyze-batch.task.js';
import { AnalyzeHandler } from './tasks/analyze.task.js';
import { SweepBlobsHandler } from './tasks/sweep-blobs.task.js';
import { ThumbnailsBatchHandler } from './tasks/thumbnails-batch.task.js';
import { ThumbnailsHandler } from './tasks/thumbnails.task.js';
import { RenditionsRepository } from './thumbnails/renditions.repository.js';
import { ThumbnailFiles } from './thumbnails/thumbnail-files.js';
import { ThumbnailsService } from './thumbnails/thumbnails.service.js';

const ROOTS = [RootsRepository, RootsService];
const ANALYSIS = [
  ...[ScanRepository, ScannerService],
  ...[ReadingsRepository, AnalysisService, IdentitiesRepository, IdentityService, AnalysisReportService],
];
const THUMBNAILS = [RenditionsRepository, Renderer, ThumbnailFiles, ThumbnailsService];

/** Photos as files and as images: finding, reading, telling apart, rendering, showing. */
@Module({
  imports: [TasksModule, StorageModule],
  providers: [
    ProblemsRepository,
    CatalogImagesService,
    ImagesRepository,
    ImagesService,
    OriginalsService,
    CoverageService,
    ...ROOTS,
    ...ANALYSIS,
    ...THUMBNAILS,
    ...eventListeners(renderImportedPhotos),
    ...lineageSources(metadataLineage, thumbnailLineage, problemLineage),
    ...taskHandlers(AnalyzeHandler, AnalyzeBatchHandler, ThumbnailsHandler, ThumbnailsBatchHandler, SweepBlobsHandler),
  ],
  exports: [RootsService, CatalogImagesService, CoverageService, ImagesService, OriginalsService],
})
export class ImagesModule {}
