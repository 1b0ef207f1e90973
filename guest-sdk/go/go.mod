module sporegate

go 1.24
