import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A row of `catalogs`. Made by migration 0003, which holds the constraints. */
@Entity('catalogs')
export class CatalogEntity {
  @PrimaryColumn('uuid')
  id: string;

  @Column('text')
  name: string;

  @Column('timestamptz', { name: 'created_at' })
  createdAt: Date;

  @Column('timestamptz', { name: 'updated_at' })
  updatedAt: Date;
}
