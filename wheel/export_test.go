package wheel

// IoctlGetTermios is the number by which this system gives a terminal's mode.
const IoctlGetTermios = ioctlGetTermios
