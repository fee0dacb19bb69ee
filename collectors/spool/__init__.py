"""The durable spool between the transports and the workers."""

from collectors.spool.block import Entries
from collectors.spool.folder import lane_folders
from collectors.spool.position import Position
from collectors.spool.reader import Block, Reader
from collectors.spool.spool import Receipt, Spool

__all__ = ["Block", "Entries", "Position", "Reader", "Receipt", "Spool", "lane_folders"]
