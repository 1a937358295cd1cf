"""A doctor that finds the silent mistakes people make with recurrent networks."""
