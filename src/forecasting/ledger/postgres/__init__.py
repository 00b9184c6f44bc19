"""What is published, in a schema of a PostgreSQL server: `delivery` asks for it, and this folder imports psycopg, which few runs need.

`publishing` is the one transaction; `shape` says what the tables are like, `schema` makes them so, `loading` fills them, and `connection`
finds the server and says in a sentence what is wrong with it.
"""
