import { applyDecorators } from '@nestjs/common';
import { ApiOkResponse, ApiProduces } from '@nestjs/swagger';
import { type ExportedRow, type ExportFormat, FORMATS } from './export-format.js';

const AS_OF = new Date('2031-05-06T07:08:09.000Z');

/** On a route: that it answers with an export, shown by one row. */
export function ApiExport(columns: readonly string[], row: ExportedRow): MethodDecorator {
  const example = (format: ExportFormat): string =>
    format.head(columns) + format.rows([row]) + format.trailer(columns, 1, AS_OF);
  const schema = { type: 'string' as const };
  return applyDecorators(
    ApiProduces('application/x-ndjson', 'text/csv'),
    ApiOkResponse({
      description: 'Lines, one for each row, and one that says how many there were',
      headers: {
        'Content-Disposition': { description: 'Names the file.', schema: { type: 'string' } },
      },
      content: {
        'application/x-ndjson': { schema, example: example(FORMATS.ndjson) },
        'text/csv': { schema, example: example(FORMATS.csv) },
      },
    }),
  );
}
