from .decoder import Picture as Picture
from .decoder import decode_image as decode_image
from .decoder import decode_pages as decode_pages
