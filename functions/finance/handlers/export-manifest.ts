import { environment } from '../../kernel/env.ts';
import { exportBucket } from '../adapters/export-bucket.ts';
import { writeManifest } from '../app/export-manifest.ts';

const env = environment('EXPORT_BUCKET');

export const handler = writeManifest(exportBucket(env.EXPORT_BUCKET));
