package process

const childArg = "process-child"

func child() int { return 1 }
