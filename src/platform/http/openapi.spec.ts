import { Body, Controller, Module, Post, Query } from '@nestjs/common';
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
