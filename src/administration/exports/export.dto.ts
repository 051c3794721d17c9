import { IsIn } from 'class-validator';
import { Optional } from '../../http/validation/fields.js';
import { EXPORT_FORMATS, type ExportFormatName } from './export-format.js';

/** The query of every export. */
export class ExportQuery {
  /** Lines of JSON, or of comma-separated values. */
  @Optional()
  @IsIn(EXPORT_FORMATS)
  format: ExportFormatName = 'ndjson';
}
