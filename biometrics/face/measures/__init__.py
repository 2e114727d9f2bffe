"""The measures of a portrait, one group a file, named as in ISO/IEC 29794-5 where it names them.

They return native values and decide nothing; None says that it could not be assessed.
"""
