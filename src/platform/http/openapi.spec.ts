import { Body, Controller, Get, Module, Param, Post, Query } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ApiProperty, ApiPropertyOptional, PartialType } from '@nestjs/swagger';
import { IsInt, IsNumber } from 'class-validator';
import { openApiDocument } from './openapi.js';

class PageDto {
  @IsInt()
  @ApiPropertyOptional({ maximum: 9 })
  limit?: number;
}

class OrderDto {
  @IsInt()
  @ApiProperty()
  count: number;

  @IsInt({ each: true })
  @ApiProperty({ minimum: 1 })
  sizes: number[];

  @IsNumber()
  @ApiProperty()
  weight: number;
}

class ChangeDto extends PartialType(OrderDto) {}

@Controller('orders')
class OrdersController {
  @Post()
  placeOrder(@Body() order: OrderDto, @Query() page: PageDto): object {
    return { order, page };
  }

  @Get()
  listOrders(): object {
    return {};
  }

  @Get(':id')
  getOrder(@Param('id') id: string): object {
    return { id };
  }

  @Post(':id/pack')
  packOrder(@Param('id') id: string): object {
    return { id };
  }

  @Post('change')
  changeOrder(@Body() change: ChangeDto): object {
    return change;
  }
}

@Module({ controllers: [OrdersController] })
class OrdersModule {}

it('says integer of what @IsInt() checks, in bodies, query parameters, lists and mapped types', async () => {
  const app = await NestFactory.create(OrdersModule, { logger: false, preview: true });
  const { components, paths } = openApiDocument(app);
  const properties = {
    count: { type: 'integer' },
    sizes: { type: 'array', items: { type: 'integer', minimum: 1 } },
    weight: { type: 'number' },
  };
  expect(components?.schemas?.OrderDto).toEqual({ type: 'object', properties, required: ['count', 'sizes', 'weight'] });
  expect(components?.schemas?.ChangeDto).toEqual({ type: 'object', properties });
  expect(paths['/orders']?.post?.parameters).toEqual([
    { name: 'limit', in: 'query', required: false, schema: { type: 'integer', maximum: 9 } },
  ]);
  await app.close();
});

it('says how each operation can fail, from what it takes and does', async () => {
  const app = await NestFactory.create(OrdersModule, { logger: false, preview: true });
  const { components, paths } = openApiDocument(app);
  const operations = {
    list: paths['/orders']?.get,
    get: paths['/orders/{id}']?.get,
    pack: paths['/orders/{id}/pack']?.post,
    place: paths['/orders']?.post,
  };
  const statuses = Object.entries(operations).map(([name, operation]) => [
    name,
    Object.keys(operation?.responses ?? {}),
  ]);
  expect(Object.fromEntries(statuses)).toEqual({
    list: ['200', '401', '403', '500', '503'],
    get: ['200', '400', '401', '403', '404', '409', '422', '500', '503'],
    pack: ['201', '400', '401', '403', '404', '409', '422', '500', '503'],
    place: ['201', '400', '401', '403', '404', '409', '413', '415', '422', '500', '503'],
  });
  expect(operations.place?.responses['409']).toEqual({ $ref: '#/components/responses/Problem409' });
  expect(components?.responses?.Problem409).toMatchObject({
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/ProblemDto' } } },
  });
  await app.close();
});
